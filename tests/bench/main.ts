/** `npm run bench`: every benchmark in one run; `--json` for programs, `--quick` for a first look. */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { STORE_KINDS } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { RUN_DIRECTORY_VARIABLE } from "../support/run-directory.ts";
import type { CommitCostRow } from "./commit-cost.ts";
import { measureCommitCost, printCommitCost } from "./commit-cost.ts";
import { formatTable } from "./measure.ts";
import type { ThroughputRow } from "./observe-throughput.ts";
import { measureThroughput, printThroughput } from "./observe-throughput.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
  },
});
const rounds = values.quick ? 3 : 7;
const seconds = values.quick ? 1 : 3;

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

await using runDirectory = await makeTemporaryDirectory();
process.env[RUN_DIRECTORY_VARIABLE] ??= runDirectory.path;

const throughput = await measureThroughput({
  rounds,
  seconds,
  onRound: (round) => note(`throughput: round ${round + 1} of ${rounds}`),
});
const commitCost: CommitCostRow[] = [];
for (const kind of STORE_KINDS) {
  note(`commit cost on ${kind}`);
  commitCost.push(await measureCommitCost(kind, { rounds: rounds * 2 }));
}

/** What was promised, and whether this run kept it. */
const GOALS = [
  { goal: "observe, unbatched ≥ 0.3× bare", met: ratioOf("unbatched") >= 0.3 },
  { goal: "observe, batches of 50 ≥ 1× bare", met: ratioOf("batches") >= 1 },
  {
    goal: "commit at 1,000 events ≤ 1.2× at 10",
    met: commitCost.every(({ ratio }) => ratio <= 1.2),
  },
];

function ratioOf(name: ThroughputRow["name"]): number {
  return throughput.find((row) => row.name === name)?.ratio ?? 0;
}

const machine = `${cpus().length} cores, Node ${process.versions.node}`;
if (values.json) {
  process.stdout.write(
    `${JSON.stringify({ machine, rounds, seconds, throughput, commitCost, goals: GOALS })}\n`,
  );
} else {
  process.stdout.write(`${machine}; medians of ${rounds} interleaved rounds of ${seconds} s\n\n`);
  process.stdout.write(`${printThroughput(throughput)}\n\n`);
  process.stdout.write(`Commit cost by length of short-term memory\n`);
  process.stdout.write(`${printCommitCost(commitCost)}\n\n`);
  const rows = GOALS.map(({ goal, met }) => [goal, met ? "kept" : "missed"]);
  process.stdout.write(`${formatTable(["goal", "this run"], rows)}\n`);
}
