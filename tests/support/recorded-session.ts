import { mutate, query } from "./clients/fetch-client.ts";
import type { HistoryRecorder } from "./history/history-recorder.ts";
import type { ObserveReply, StmReply } from "./history/recorded-call.ts";

/** One call of a random workload; `observe` with an id that came before is a repeat. */
export type Step =
  | { kind: "observe"; observationId: string; event: string[] }
  | { kind: "stm" }
  | { kind: "clear" };

/** Makes one call by `fetch`, unbatched, and records it. */
export async function playStep(
  step: Step,
  { url, session, recorder }: { url: string; session: string; recorder: HistoryRecorder },
): Promise<void> {
  switch (step.kind) {
    case "observe": {
      const { observationId, event } = step;
      const input = { sessionId: session, strings: event, observationId };
      await recorder.observe({ session, observationId, event }, () =>
        mutate<ObserveReply>(url, "session.observe", input),
      );
      break;
    }
    case "stm":
      await recorder.stm(session, () =>
        query<StmReply>(url, "session.stm", { sessionId: session }),
      );
      break;
    case "clear":
      await recorder.clear(session, () => mutate(url, "session.clearStm", { sessionId: session }));
      break;
  }
}

export async function createSession(url: string, nodeId: string): Promise<string> {
  const created = await mutate<{ sessionId: string }>(url, "session.create", { nodeId });
  return created.sessionId;
}
