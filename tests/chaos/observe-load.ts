import type { KatoClient } from "@kato-rpc/client";
import { createKatoClient } from "@kato-rpc/client";
import { HistoryRecorder } from "../support/history/history-recorder.ts";
import type { RecordedCall } from "../support/history/recorded-call.ts";
import { waitFor } from "../support/wait-for.ts";

const CLIENTS = 3;
/** So many of a caller's calls are observes for each that reads the session. */
const OBSERVES_TO_A_READ = 15;
/** Every so many sessions have a second caller, by another client, so that workers meet on them. */
const SHARED_EVERY = 4;

/** Of the nodes that so many sessions are on, ten to each. */
export function nodeNames(sessions: number): string[] {
  return Array.from({ length: Math.ceil(sessions / 10) }, (_, i) => `node-${i}`);
}

/**
 * Callers that observe through the SDK without a pause, most on a session of their own, until they are told to end or a
 * call fails. Its retries are so many that none should, unless the service stays away for a minute.
 */
export class ObserveLoad implements AsyncDisposable {
  readonly #clients: KatoClient[];
  readonly #recorder = new HistoryRecorder(() => "unknown");
  readonly #end = new AbortController();
  #callers: Promise<void>[] = [];
  #sessionIds: string[] = [];
  #calling = 0;
  #acknowledged = 0;
  #made = 0;
  #sent = 0;

  constructor(url: string) {
    const countingFetch = (to: string, init: RequestInit) => {
      this.#sent += decodeURIComponent(new URL(to).pathname).split(",").length;
      return fetch(to, init);
    };
    this.#clients = Array.from({ length: CLIENTS }, () =>
      createKatoClient({ url, fetch: countingFetch, retries: 100, timeoutMs: 60_000 }),
    );
  }

  /** Calls sent beyond the first time of each. */
  get retries(): number {
    return this.#sent - this.#made;
  }

  get made(): number {
    return this.#made;
  }

  async start(sessions: number): Promise<void> {
    const nodes = nodeNames(sessions);
    const client = this.#clients[0]!; // there are some
    this.#made += sessions;
    const created = await Promise.all(
      Array.from({ length: sessions }, (_, i) =>
        client.session.create({ nodeId: nodes[i % nodes.length]! }),
      ),
    );
    this.#sessionIds = created.map(({ sessionId }) => sessionId);
    this.#callers = this.#sessionIds.flatMap((sessionId, i) => {
      const callers = [this.#call(sessionId, i)];
      if (i % SHARED_EVERY === 0) callers.push(this.#call(sessionId, i + 1));
      return callers;
    });
  }

  /** Waits until so many more observations were acknowledged, or no caller is left. */
  async untilAcknowledged(more: number): Promise<void> {
    const wanted = this.#acknowledged + more;
    await waitFor(() => this.#acknowledged >= wanted || this.#calling === 0, {
      what: `${more} more acknowledged observations`,
      timeoutMs: 60_000,
    });
  }

  /** Lets the calls under way end, however long the service is away. */
  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#callers);
  }

  /** Reads every session and gives the history; the callers must have ended. */
  async finish(): Promise<readonly RecordedCall[]> {
    await Promise.all(this.#sessionIds.map((sessionId) => this.#read(sessionId, 0)));
    return this.#recorder.calls;
  }

  /** Gives up the calls that are still under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#callers);
  }

  async #call(sessionId: string, caller: number): Promise<void> {
    this.#calling += 1;
    await this.#observeUntilEnd(sessionId, caller);
    this.#calling -= 1;
  }

  async #observeUntilEnd(sessionId: string, caller: number): Promise<void> {
    const session = this.#clients[caller % CLIENTS]!.session.attach(sessionId);
    for (let i = 1; !this.#end.signal.aborted; i += 1) {
      const observationId = `${caller}-${i}`;
      const event = [observationId];
      this.#made += 1;
      const { outcome } = await this.#recorder.observe(
        { session: sessionId, observationId, event },
        () => session.observe({ strings: event, observationId }),
      );
      if (outcome !== "ok") return;
      this.#acknowledged += 1;
      if (i % OBSERVES_TO_A_READ === 0) await this.#read(sessionId, caller);
    }
  }

  async #read(sessionId: string, caller: number): Promise<void> {
    const session = this.#clients[caller % CLIENTS]!.session.attach(sessionId);
    this.#made += 1;
    await this.#recorder.stm(sessionId, () => session.stm());
  }
}
