import type { FaultCounts } from "./faults.ts";
import { FAULT_KINDS, noFaults } from "./faults.ts";
import type { ScheduleOptions, ScheduleResult } from "./schedule.ts";
import { runSchedule } from "./schedule.ts";

/** Neighbouring seeds, from `first` on. */
export type SeedRange = { readonly first: number; readonly count: number };

export type Failure = Pick<ScheduleResult, "seed" | "violations">;

/** What came of many schedules. */
export type Totals = {
  schedules: number;
  calls: number;
  /** Calls of which nobody knows whether they took effect. */
  unknown: number;
  requests: number;
  conflicts: number;
  faults: FaultCounts;
  failures: Failure[];
};

export function noTotals(): Totals {
  return {
    schedules: 0,
    calls: 0,
    unknown: 0,
    requests: 0,
    conflicts: 0,
    faults: noFaults(),
    failures: [],
  };
}

/** Adds to `sum`. */
export function addTotals(sum: Totals, part: Totals): void {
  for (const figure of ["schedules", "calls", "unknown", "requests", "conflicts"] as const) {
    sum[figure] += part[figure];
  }
  for (const kind of FAULT_KINDS) sum.faults[kind] += part.faults[kind];
  sum.failures.push(...part.failures);
}

/** Plays the schedules of these seeds one after the other; those that throw fail like those that find something. */
export async function runSchedules(
  { first, count }: SeedRange,
  options?: ScheduleOptions,
): Promise<Totals> {
  const totals = noTotals();
  const { stackTraceLimit } = Error;
  // A third of the time would go into the stacks of errors that nobody reads.
  Error.stackTraceLimit = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const played = await runSchedule(seed, options).catch((error: unknown) => error);
    totals.schedules += 1;
    if (played instanceof Error) {
      totals.failures.push({ seed, violations: [`failed: ${played.message}`] });
      continue;
    }
    const { calls, unknown, requests, conflicts, faults, violations } = played as ScheduleResult;
    const failures = violations.length === 0 ? [] : [{ seed, violations }];
    addTotals(totals, { schedules: 0, calls, unknown, requests, conflicts, faults, failures });
  }
  Error.stackTraceLimit = stackTraceLimit;
  return totals;
}
