import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { ChaosReport } from "./chaos-report.ts";
import { formatReports } from "./chaos-report.ts";

/** Names a file for the figures as JSON, a list of `ChaosReport`. */
const VARIABLE = "CHAOS_REPORT";

/** Ends the run's output with one table of all tests that injected faults. */
export class ChaosReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const reports = modules
      .flatMap((module) => [...module.children.allTests()])
      .flatMap((test) => reportOf(test) ?? [])
      .sort((a, b) => (a.test < b.test ? -1 : 1));
    if (reports.length === 0) return;

    const file = process.env[VARIABLE];
    if (file !== undefined) writeFileSync(file, `${JSON.stringify(reports, undefined, 2)}\n`);
    // After the other reporters, which write their own summary at the same moment.
    process.once("exit", () => process.stdout.write(`\n${formatReports(reports)}\n\n`));
  }
}

function reportOf(test: TestCase): ChaosReport | undefined {
  return test.meta().chaos;
}
