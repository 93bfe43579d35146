import type { SessionCall } from "../support/history/session-call.ts";

/** An observation for a certain time may be refused at first, without a trace, and succeed after later ones when retried. */
type Made = SessionCall & { readonly expectedTime?: number | undefined };

/**
 * Whether calls of one client on one session took effect in the order in which they were made, though made at once and
 * retried: what the SDK promises beyond what any history of overlapping calls can tell. Only times that rise tell, so
 * sessions that were cleared are left out, and ids that came from elsewhere as well.
 *
 * @param made in the order in which they were made; `ofSession` is all that was done by anybody
 */
export function findOvertaken(made: readonly Made[], ofSession: readonly SessionCall[]): string[] {
  if (ofSession.some(({ kind }) => kind === "clear")) return [];
  const uses = Map.groupBy(ofSession, (call) => ("id" in call ? call.id : undefined));
  const overtaken: string[] = [];
  let last = { time: 0, what: "" };
  for (const call of made) {
    if (call.kind !== "observe" && call.kind !== "sequence") continue;
    if (call.expectedTime !== undefined || call.outcome !== "ok") continue;
    if ((uses.get(call.id)?.length ?? 0) > 1) continue;
    const { time } = call.reply;
    const what = `${call.kind} ${call.id}`;
    if (time <= last.time) {
      overtaken.push(`${what}, made after ${last.what}, has time ${time} before ${last.time}`);
    }
    last = { time, what };
  }
  return overtaken;
}
