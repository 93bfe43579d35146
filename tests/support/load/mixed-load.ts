import { randomUUID } from "node:crypto";
import type { KatoClient, KatoClientOptions } from "@kato-rpc/client";
import { createKatoClient } from "@kato-rpc/client";
import type { SessionCall } from "../history/session-call.ts";
import { randomFrom } from "../random.ts";
import { act } from "./act.ts";
import type { LoadCounts } from "./load-recorder.ts";
import { LoadRecorder } from "./load-recorder.ts";
import { SessionSlot } from "./session-slot.ts";
import { WireCounter } from "./wire-counter.ts";
import type { Action } from "./workload.ts";
import { Workload } from "./workload.ts";

export interface MixedLoadOptions {
  /** Of one or more services on one store; the callers of a session are spread over them. */
  readonly urls: readonly string[];
  /** Decides what each caller does; how their calls interleave is up to the service. */
  readonly seed: number;
  /** Live at a time; one that is deleted is followed by another. Default 200. */
  readonly sessions?: number;
  /** Default 20, named by `nodePrefix`, which must be new to the store. */
  readonly nodes?: number;
  readonly nodePrefix?: string;
  /** At most so many callers to a session, each with one call under way; sessions have 1, 2, … of them. Default 3. */
  readonly callers?: number;
  /** The load ends after so long, when `signal` aborts (give one at least), or after `MOST_CALLS`; calls under way are waited for. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
  /** For the SDK: retries, timeouts; its `signal` gives up what is under way. */
  readonly client?: Omit<Partial<KatoClientOptions>, "url" | "fetch">;
  /** Called with each call that has ended, in the order of their ends. */
  readonly onCall?: (call: SessionCall) => void;
  /** Awaited between the last call of the callers and the reading of all sessions. */
  readonly beforeReading?: () => Promise<void>;
}

export interface MixedLoad {
  /** All that was called on sessions, for `checkLoad`. */
  readonly calls: readonly SessionCall[];
  readonly nodes: readonly string[];
  readonly counts: LoadCounts & {
    /** Sent beyond the first time of each call. */
    readonly retries: number;
    /** Given up by the SDK without an answer: they may have taken effect or not, until a repeat is answered. */
    readonly unknown: number;
  };
}

/** All calls are kept until they are checked. */
export const MOST_CALLS = 400_000;
/** Of a call that stays unknown, each with all the SDK's retries: minutes without service. */
const MOST_ATTEMPTS = 5;

/**
 * Many callers that do what users do through the SDK, with its retries: observe, observe sequences, learn, predict, clear,
 * configure, read and delete, each again as soon as its last call has ended. A change that may have taken effect or not
 * is repeated with its id until that is known. Never rejects for a call that fails, but for a session that cannot be read
 * in the end.
 */
export async function runMixedLoad(options: MixedLoadOptions): Promise<MixedLoad> {
  const { urls, seed, sessions = 200, nodes = 20, callers = 3, nodePrefix = "load" } = options;
  const wire = new WireCounter();
  const recorder = new LoadRecorder(options.onCall);
  // A client keeps the order of calls on one session: only callers with clients of their own meet at the service.
  const clients = Array.from({ length: Math.max(callers, urls.length) }, (_, i) =>
    createKatoClient({ ...options.client, url: urls[i % urls.length]!, fetch: wire.fetch }),
  );
  const nodeIds = Array.from({ length: nodes }, (_, i) => `${nodePrefix}-${i}`);
  const isPastDeadline = deadlineOf(options);
  const isOver = () => isPastDeadline() || recorder.counts.calls >= MOST_CALLS;
  const run: Run = { recorder, isOver, id: randomUUID().slice(0, 8) };
  try {
    await Promise.all(
      Array.from({ length: sessions }, async (_, s) => {
        const slot = new SessionSlot(nodeIds[s % nodes]!, clients[s % clients.length]!, recorder);
        const count = 1 + (Math.floor(s / nodes) % callers);
        const driven = Array.from({ length: count }, (_, c) => {
          const client = clients[(s + c) % clients.length]!;
          const random = randomFrom(seed * 1_000_003 + s * callers + c);
          return new Caller(slot, client, run).drive(new Workload(random, `${run.id}-${s}-${c}`));
        });
        await Promise.all(driven);
      }),
    );
    await options.beforeReading?.();
    await readAllSessions(recorder, clients[0]!);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
  const { calls, counts } = recorder;
  const unknown = calls.filter(isWithoutAnswer).length;
  return {
    calls,
    nodes: nodeIds,
    counts: { ...counts, retries: wire.sent - counts.calls, unknown },
  };
}

interface Run {
  readonly recorder: LoadRecorder;
  readonly isOver: () => boolean;
  readonly id: string;
}

class Caller {
  readonly #slot: SessionSlot;
  readonly #client: KatoClient;
  readonly #run: Run;

  constructor(slot: SessionSlot, client: KatoClient, run: Run) {
    this.#slot = slot;
    this.#client = client;
    this.#run = run;
  }

  async drive(workload: Workload): Promise<void> {
    let last: string | undefined;
    while (!this.#run.isOver()) {
      const session = await this.#slot.open(workload.drawConfig());
      if (session === undefined) continue;
      if (session !== last) workload.forget();
      last = session;
      await this.#call(session, workload.draw());
    }
  }

  async #call(session: string, action: Action): Promise<void> {
    const request = { ...action, session, node: this.#slot.node };
    const run = () => act(this.#client.session.attach(session), action);
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
      const call = await this.#run.recorder.record(run, request);
      const isGone = call.outcome !== "ok" && call.refusal === "SESSION_NOT_FOUND";
      // Who deletes a session goes on with it, and sees that it is gone.
      if (isGone) await this.#slot.leave(session);
      if (!isWithoutAnswer(call) || !("id" in action)) return;
    }
  }
}

function isWithoutAnswer(call: SessionCall): boolean {
  return call.outcome === "unknown" && call.refusal === undefined;
}

/** What every session holds in the end, the deleted ones as well. */
async function readAllSessions(recorder: LoadRecorder, client: KatoClient): Promise<void> {
  const creates = recorder.calls.filter(({ kind }) => kind === "create");
  const read = async ({ session, node }: SessionCall, kind: "stm" | "get") => {
    const run = () => act(client.session.attach(session), { kind });
    const call = await recorder.record(run, { kind, session, node });
    if (call.outcome === "ok" || call.refusal === "SESSION_NOT_FOUND") return;
    throw new Error(`session ${session} could not be read in the end`, {
      cause: call.error,
    });
  };
  await Promise.all(creates.flatMap((create) => [read(create, "stm"), read(create, "get")]));
}

function deadlineOf({ seconds = Infinity, signal }: MixedLoadOptions): () => boolean {
  if (seconds === Infinity && signal === undefined) {
    throw new Error("a load needs an end: give seconds, a signal or both");
  }
  const endsAt = performance.now() + seconds * 1_000;
  return () => performance.now() >= endsAt || signal?.aborted === true;
}
