/**
 * `npm run bench`: every question of sections.ts in one run. `--only NAME` for one of them (may be repeated), `--quick`
 * for a first look, `--json` for programs. A run that isn't quick writes RESULTS.md.
 */
import { parseArgs } from "node:util";
import { openProgress } from "../../server/cli/progress.ts";
import { openScreen } from "../../server/cli/screen.ts";
import { RUN_DIRECTORY_VARIABLE } from "../support/run-directory.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { describeRun } from "./describe-run.ts";
import { formatTable } from "./measure.ts";
import { saveSection } from "./results.ts";
import type { Measured, Scale } from "./section.ts";
import { SECTIONS } from "./sections.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const names = SECTIONS.map(({ name }) => name);
for (const name of values.only ?? []) {
  if (!names.includes(name)) throw new Error(`no section ${name}; there are ${names.join(", ")}`);
}
const sections = SECTIONS.filter(({ name }) => values.only?.includes(name) ?? true);
const scale: Scale = values.quick
  ? { rounds: 3, seconds: 1, isQuick: true }
  : { rounds: 5, seconds: 1.5, isQuick: false };
const { result: output, notes } = openScreen();

await using runDirectory = await makeTemporaryDirectory();
process.env[RUN_DIRECTORY_VARIABLE] ??= runDirectory.path;

const run = await describeRun("npm run bench", process.argv.slice(2));
const measured: Record<string, Measured> = {};
if (!values.json) {
  output.line(`${run.date}, ${run.machine}; ${run.versions}`);
  output.line(`medians of ${scale.rounds} interleaved rounds of ${scale.seconds} s\n`);
}
for (const section of sections) {
  const step = { label: section.name, unit: "steps", total: section.steps(scale) };
  const progress = openProgress(notes, step);
  const result = await section.measure(scale, () => progress.add(1));
  progress.end();
  measured[section.name] = result;
  if (!values.quick) await saveSection(section, result, run);
  if (!values.json) output.line(`${section.title}\n${result.text}\n`);
}
const goals = Object.values(measured).flatMap((result) => result.goals);
if (values.json) {
  output.line(JSON.stringify({ run, scale, measured }));
} else {
  const rows = goals.map(({ goal, figure, met }) => [goal, figure, met ? "kept" : "missed"]);
  output.line(formatTable(["goal", "this run", ""], rows));
}
