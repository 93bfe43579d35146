import { expect, test } from "vitest";
import type { ChaosReport } from "../chaos/chaos-report.ts";
import { formatReports } from "../chaos/chaos-report.ts";

test("the table of the chaos tests has a row for each and their sums, columns aligned", () => {
  const reports: ChaosReport[] = [
    { ...report("SQLite, all workers killed", 7), calls: 1_200, faults: 20, unknown: 1 },
    { ...report("Redis", 2_000_000_000), calls: 300, retries: 40, violations: 2 },
  ];

  expect(formatReports(reports).split("\n")).toEqual([
    "test                              seed  calls  faults  retries  unknown outcomes  violations",
    "SQLite, all workers killed           7  1,200      20        0                 1           0",
    "Redis                       2000000000    300       0       40                 0           2",
    "all                                  –  1,500      20       40                 1           2",
  ]);
});

function report(name: string, seed: number): ChaosReport {
  const counts = { calls: 0, faults: 0, retries: 0, unknown: 0, violations: 0 };
  return { test: name, seed, seconds: 1, ...counts, faultsByKind: {}, errors: {} };
}
