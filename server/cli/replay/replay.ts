import { deleteSessions } from "./delete-sessions.ts";
import type { PrefixPredictions } from "./predict-prefixes.ts";
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
  /** With `--learn`: cases learned, those of one symbol left out, and the distinct patterns they made. */
  learned?: { cases: number; patterns: number; tooShort: number; perSecond: number };
  /** With `--predict`. */
  predictions?: PrefixPredictions[];
  /** The first few of both kinds. */
  problems: CaseProblem[];
};

/**
 * Sends every case to a session of its own, one observation per event, then reads each session back; then
 * learns them, and asks for predictions, where that was asked for.
 *
 * @throws KatoError when no service answers, and the signal's reason when it is set meanwhile; the
 *   sessions made until then are deleted all the same
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const { cases, deletes, learns, predicts, signal } = options;
  const run = new ReplayRun(options);
  let seconds = 0;
  let learningSeconds = 0;
  try {
    await run.findService();
    const startedAt = performance.now();
    await run.send();
    seconds = (performance.now() - startedAt) / 1_000;
    await run.check();
    const learningAt = performance.now();
    if (learns) await run.learn();
    learningSeconds = (performance.now() - learningAt) / 1_000;
    if (predicts > 0) await run.predict();
  } finally {
    await run.close();
    if (deletes) await deleteSessions(run.sessionIds, run.problems, options);
  }
  signal.throwIfAborted();
  const { acknowledged: events, problems, learned, predictions } = run;
  const { ok, ...rest } = problems.report();
  return {
    ok,
    cases: cases.length,
    events,
    seconds,
    eventsPerSecond: events / seconds,
    ...rest,
    ...(learns
      ? {
          learned: {
            cases: learned.learns,
            patterns: learned.patterns,
            tooShort: learned.tooShort,
            perSecond: learned.learns / learningSeconds,
          },
        }
      : {}),
    ...(predicts > 0 ? { predictions } : {}),
  };
}
