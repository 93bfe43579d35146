import { formatCount, formatTable } from "../bench/measure.ts";

/** The figures of one test; JSON holds them all. */
export type ChaosReport = {
  test: string;
  seed: number;
  /** How long the load ran, and the faults with it. */
  seconds: number;
  /** Made by the callers, the reads of all sessions in the end among them. */
  calls: number;
  faults: number;
  /** How often each fault met something. */
  faultsByKind: Record<string, number>;
  /** Sent beyond the first time of each call. */
  retries: number;
  /** Given up by the SDK without an answer, and repeated with their ids. */
  unknown: number;
  /** Calls that failed, by code. */
  errors: Record<string, number>;
  /** What the checker found. */
  violations: number;
};

const HEADER = ["test", "seed", "calls", "faults", "retries", "unknown outcomes", "violations"];
const COUNTS = ["calls", "faults", "retries", "unknown", "violations"] as const;

/** One row for each test and one for all, columns aligned. */
export function formatReports(reports: readonly ChaosReport[]): string {
  const rowOf = (name: string, seed: string, of: readonly ChaosReport[]) => [
    name,
    seed,
    ...COUNTS.map((count) => formatCount(of.reduce((sum, report) => sum + report[count], 0))),
  ];
  const rows = reports.map((report) => rowOf(report.test, String(report.seed), [report]));
  // A dash counts as a number, so that the seeds stay right-aligned.
  return formatTable(HEADER, [...rows, rowOf("all", "–", reports)]);
}
