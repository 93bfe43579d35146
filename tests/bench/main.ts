/** `npm run bench`: every benchmark in one run; `--json` for programs, `--quick` for a first look. */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { STORE_KINDS } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { RUN_DIRECTORY_VARIABLE } from "../support/run-directory.ts";
import type { CommitCostRow } from "./commit-cost.ts";
import { measureCommitCost, printCommitCost } from "./commit-cost.ts";
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

const machine = `${cpus().length} cores, Node ${process.versions.node}`;
if (values.json) {
  process.stdout.write(`${JSON.stringify({ machine, rounds, seconds, throughput, commitCost })}\n`);
} else {
  process.stdout.write(`${machine}; medians of ${rounds} interleaved rounds of ${seconds} s\n\n`);
  process.stdout.write(`${printThroughput(throughput)}\n\n`);
  process.stdout.write(
    `Commit cost by length of short-term memory\n${printCommitCost(commitCost)}\n`,
  );
}
