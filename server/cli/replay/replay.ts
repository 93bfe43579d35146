import { deleteSessions } from "./delete-sessions.ts";
import type { CaseProblem } from "./problems.ts";
import type { ReplayOptions } from "./replay-run.ts";
import { ReplayRun } from "./replay-run.ts";

export type ReplayReport = {
  ok: boolean;
  cases: number;
  /** Events that the service acknowledged. */
  events: number;
  /** From the first session to the last acknowledged event. */
  seconds: number;
  eventsPerSecond: number;
  /** Cases whose session does not hold what was sent to it. */
  mismatches: number;
  failedCalls: number;
  /** The first few of both kinds. */
  problems: CaseProblem[];
};

/**
 * Sends every case to a session of its own, one call per event, then reads each session back.
 *
 * @throws KatoError when no service answers, and the signal's reason when it is set meanwhile; the
 *   sessions made until then are deleted all the same
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const { cases, deletes, signal } = options;
  const run = new ReplayRun(options);
  let seconds = 0;
  try {
    await run.findService();
    const startedAt = performance.now();
    await run.send();
    seconds = (performance.now() - startedAt) / 1_000;
    await run.check();
  } finally {
    await run.close();
    if (deletes) await deleteSessions(run.sessionIds, run.problems, options);
  }
  signal.throwIfAborted();
  const { acknowledged: events, problems } = run;
  const { ok, ...rest } = problems.report();
  return { ok, cases: cases.length, events, seconds, eventsPerSecond: events / seconds, ...rest };
}
