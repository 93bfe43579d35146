import { formatCount, formatTable } from "../bench/measure.ts";
import type { FaultTally } from "../support/faults/fault-tally.ts";

export type ChaosReport = {
  name: string;
  seed: number;
  /** Made by the callers, reads of the check among them. */
  calls: number;
  /** Sent beyond the first time of each call. */
  retries: number;
  /** Without a reply in the end, so that they may have taken effect or not. */
  unknown: number;
  faults: FaultTally;
  violations: number;
};

/** The figures of one test as a table, and under it how often each fault occurred. */
export function formatReport(report: ChaosReport): string {
  const { name, seed, calls, retries, unknown, faults, violations } = report;
  const header = ["test", "seed", "calls", "faults", "retries", "unknown", "violations"];
  const counts = [calls, faults.total, retries, unknown, violations].map(formatCount);
  const kinds = faults.rows().map(([kind, count]) => `${kind} ${formatCount(count)}`);
  return `${formatTable(header, [[name, String(seed), ...counts]])}\nfaults: ${kinds.join(", ")}`;
}
