/**
 * `npm run bench:growth`: how costs grow, a table and a plot each. `--only NAME` for one curve (may be repeated),
 * `--quick` for a first look, `--json` for programs. A run that isn't quick writes RESULTS.md and the plots beside it.
 */
import { parseArgs } from "node:util";
import { openProgress } from "../../../server/cli/progress.ts";
import { openScreen } from "../../../server/cli/screen.ts";
import { RUN_DIRECTORY_VARIABLE } from "../../support/run-directory.ts";
import { makeTemporaryDirectory } from "../../support/temporary-directory.ts";
import { describeRun } from "../describe-run.ts";
import { formatTable } from "../measure.ts";
import type { CurveResult } from "./curve.ts";
import { CURVES } from "./curves.ts";
import { LearnedNodes } from "./learned-nodes.ts";
import { saveCurve } from "./results.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const { only, quick, json } = values;
const names = CURVES.map(({ name }) => name);
for (const name of only ?? []) {
  if (!names.includes(name)) throw new Error(`no curve ${name}; there are ${names.join(", ")}`);
}
const curves = CURVES.filter(({ name }) => only?.includes(name) ?? true);
const { result: output, notes } = openScreen();

await using runDirectory = await makeTemporaryDirectory();
process.env[RUN_DIRECTORY_VARIABLE] ??= runDirectory.path;

await using learned = new LearnedNodes();
const run = await describeRun("npm run bench:growth", process.argv.slice(2));
const results: Record<string, CurveResult> = {};
for (const curve of curves) {
  const progress = openProgress(notes, {
    label: curve.name,
    unit: "steps",
    total: curve.steps(quick),
  });
  const result = await curve.measure({ quick, onStep: () => progress.add(1), learned });
  progress.end();
  results[curve.name] = result;
  if (!quick) await saveCurve(curve, result, run);
  if (json) continue;
  output.line(`${curve.title}\n${formatTable(result.header, result.rows)}`);
  for (const { goal, figure, met } of result.goals) {
    output.line(`${goal}: ${figure}, ${met ? "kept" : "missed"}`);
  }
  output.line();
}
if (json) output.line(JSON.stringify({ run, quick, results }));
