import { expect } from "vitest";
import type { FaultTally } from "../support/faults/fault-tally.ts";
import { checkHistory } from "../support/history/check-history.ts";
import { formatReport } from "./chaos-report.ts";
import { ObserveLoad } from "./observe-load.ts";

export type ObserveUnderFaults = {
  /** Of the report. */
  name: string;
  seed: number;
  /** Where the callers reach the service. */
  url: string;
  sessions: number;
  tally: FaultTally;
  /** Injects the faults; all must be well again when it resolves. */
  disturb(load: ObserveLoad): Promise<void>;
};

/**
 * Observes while faults are injected, prints the figures, and checks that every call was answered, and rightly. Gives the
 * number of retries: without any, the faults met no call, or none that the service could not hide.
 */
export async function observeUnderFaults(options: ObserveUnderFaults): Promise<number> {
  const { name, seed, url, sessions, tally } = options;
  await using load = new ObserveLoad(url);
  await load.start(sessions);

  await options.disturb(load);
  await load.stop();
  const calls = await load.finish();
  const verdict = checkHistory(calls, { retriesInsideCalls: true });

  const violations = verdict.ok ? [] : verdict.violations;
  const failures = calls.flatMap((call) => (call.outcome === "ok" ? [] : [call.error]));
  const report = { name, seed, calls: load.made, retries: load.retries, faults: tally };
  const counts = { unknown: failures.length, violations: violations.length };
  console.info(formatReport({ ...report, ...counts }));
  expect(violations).toEqual([]);
  expect(failures).toEqual([]);
  return load.retries;
}
