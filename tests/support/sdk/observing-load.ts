import type { KatoClient } from "@kato-rpc/client";
import { createKatoClient, isKatoError } from "@kato-rpc/client";
import type { HistoryRecorder } from "../history/history-recorder.ts";
import { HistoryRecorder as Recorder } from "../history/history-recorder.ts";
import { waitFor } from "../wait-for.ts";

/** Calls that are made without a pause, and recorded, until it is stopped. */
export type ObservingLoad = {
  recorder: HistoryRecorder;
  /** Resolves when every caller has had `count` more answers. */
  untilBusy(count: number): Promise<void>;
  /** Resolves when the last call has ended. */
  stop(): Promise<void>;
};

/** How many calls of a caller there are to one that reads all of its session. */
const CALLS_TO_A_READ = 20;

/**
 * Several SDK clients with their default options on the same sessions, so that the calls of one session
 * come to several workers at once.
 */
export async function startObservingLoad(
  url: string,
  { sessions, clients }: { sessions: number; clients: number },
): Promise<ObservingLoad> {
  const recorder = new Recorder((error) =>
    isKatoError(error) && error.outcome === "no-effect" ? "failed" : "unknown",
  );
  const kato = Array.from({ length: clients }, () => createKatoClient({ url }));
  const sessionIds = await Promise.all(
    Array.from({ length: sessions }, async (_, i) => {
      const created = await kato[0]!.session.create({ nodeId: `load-${i}` });
      return created.sessionId;
    }),
  );
  const stopping = new AbortController();
  const answered = new Map<string, number>();
  const run = async (client: KatoClient, sessionId: string, name: string) => {
    const session = client.session.attach(sessionId);
    for (let i = 0; !stopping.signal.aborted; i++) {
      const observationId = `${name}-${i}`;
      const event = [`${sessionId}/${observationId}`];
      if (i % CALLS_TO_A_READ === 0) await recorder.stm(sessionId, () => session.stm());
      await recorder.observe({ session: sessionId, observationId, event }, () =>
        session.observe({ strings: event, observationId }),
      );
      answered.set(name, i + 1);
    }
  };
  const runs = kato.flatMap((client, c) =>
    sessionIds.map((sessionId, s) => {
      const name = `caller-${c}-${s}`;
      answered.set(name, 0);
      return run(client, sessionId, name);
    }),
  );
  return {
    recorder,
    async untilBusy(count) {
      const before = new Map(answered);
      await waitFor(
        () => [...answered].every(([name, now]) => now >= (before.get(name) ?? 0) + count),
        { what: `${count} more answers to every caller`, timeoutMs: 30_000 },
      );
    },
    async stop() {
      stopping.abort();
      await Promise.all(runs);
      await Promise.all(kato.map((client) => client.close()));
    },
  };
}
