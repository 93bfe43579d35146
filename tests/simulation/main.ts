import { randomInt } from "node:crypto";
import { formatColumns, formatNumber } from "../../server/cli/columns.ts";
import { openProgress } from "../../server/cli/progress.ts";
import { openScreen } from "../../server/cli/screen.ts";
import { sabotageCalled } from "./sabotages.ts";
import { runSchedule } from "./schedule.ts";
import { simulate } from "./simulate.ts";
import type { Totals } from "./totals.ts";

const DEFAULT_SCHEDULES = 200_000;
/** Seeds are counted up from the first. */
const SEEDS = 2 ** 31;

const { result: out, notes } = openScreen();

const seed = wholeFrom("SIMULATION_SEED");
const schedules = wholeFrom("SIMULATION_SCHEDULES");
/** To see what a violation looks like. */
const sabotage = process.env["SIMULATION_SABOTAGE"] || undefined;
if (seed !== undefined && schedules === undefined) await replay(seed);
else await simulateMany(seed ?? randomInt(SEEDS), schedules ?? DEFAULT_SCHEDULES);

/** One schedule, with all that happened in it. */
async function replay(seed: number): Promise<void> {
  const violations = await show(seed);
  end(violations.length);
}

async function simulateMany(first: number, count: number): Promise<void> {
  out.line(`simulating ${formatNumber(count)} schedules from seed ${first} on`);
  const startedAt = performance.now();
  const progress = openProgress(notes, { label: "simulating", unit: "schedules", total: count });
  const totals = await simulate(
    { first, count },
    {
      sabotage,
      onProgress: (done) => progress.add(done),
    },
  );
  progress.end();
  const [failure] = totals.failures;
  if (failure !== undefined) {
    await show(failure.seed);
    for (const { seed } of totals.failures) {
      out.line(out.style("red", `play it again: SIMULATION_SEED=${seed} npm run test:simulation`));
    }
  }
  showTotals(totals, (performance.now() - startedAt) / 1_000);
  end(totals.failures.length);
}

/** All that happens in a schedule, and what contradicts the promises, which it gives. */
async function show(seed: number): Promise<readonly string[]> {
  const options = { traces: true, sabotage: sabotageCalled(sabotage) };
  const { trace, violations } = await runSchedule(seed, options);
  for (const line of trace) out.line(line);
  for (const violation of violations) out.line(`\n${out.style("red", violation)}`);
  return violations;
}

function showTotals(totals: Totals, seconds: number): void {
  const { schedules, calls, unknown, requests, conflicts, faults, failures } = totals;
  const rows: [string, number][] = [
    ["schedules", schedules],
    ["schedules a second", schedules / seconds],
    ["seconds", seconds],
    ["calls", calls],
    ["calls of unknown outcome", unknown],
    ["requests", requests],
    ["conflicts of commits", conflicts],
    ...Object.entries(faults).map(([kind, count]): [string, number] => [`faults: ${kind}`, count]),
    ["schedules with violations", failures.length],
  ];
  const shown = rows.map(([name, value]) => [name, formatNumber(value)]);
  for (const line of formatColumns(shown, { right: [1] })) out.line(line);
}

/** All schedules together count as one test. */
function end(violations: number): void {
  if (violations > 0) process.exitCode = 1;
  out.line(violations === 0 ? "1 passed, 0 failed" : "0 passed, 1 failed");
}

function wholeFrom(variable: string): number | undefined {
  const given = process.env[variable];
  if (given === undefined || given === "") return undefined;
  const value = Number(given);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${variable} is no whole number: ${given}`);
}
