/** `npm run bench`: every benchmark in one run; `--json` for programs, `--quick` for a first look. */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { formatOverload } from "../support/open-loop/overload.ts";
import { STORE_KINDS } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { RUN_DIRECTORY_VARIABLE } from "../support/run-directory.ts";
import type { CommitCostRow } from "./commit-cost.ts";
import { measureCommitCost, printCommitCost } from "./commit-cost.ts";
import { measureLearns, printLearns } from "./learn-throughput.ts";
import { formatCount, formatTable } from "./measure.ts";
import type { ThroughputRow } from "./observe-throughput.ts";
import { measureThroughput, printThroughput } from "./observe-throughput.ts";
import { measureOverload } from "./overload.ts";
import { measurePredictLatency, printPredictLatency } from "./predict-latency.ts";
import { PATTERN_SEED } from "./random-patterns.ts";
import {
  measureServicePredictions,
  printBystanders,
  printServicePredictions,
} from "./service-predictions.ts";

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

const learns = await measureLearns({
  rounds,
  seconds,
  onRound: (round) => note(`learns: round ${round + 1} of ${rounds}`),
});
note("predictions in process");
const sizes = [1_000, 10_000, 100_000];
const predictions = measurePredictLatency({
  sizes,
  queriesFor: (size) => Math.max(200, Math.min(4_000, 10_000_000 / size)),
});
const service = await measureServicePredictions({
  sizes,
  queries: values.quick ? 50 : 200,
  seconds: seconds * 2,
  onSize: (size) => note(`predictions through the service: ${size} patterns`),
});
note("overload");
const overload = await measureOverload(seconds * 2);

/** Median ms of a prediction on so many patterns, at threshold 0.1. */
const LATENCY_GOALS = [
  [1_000, 0.5],
  [10_000, 3],
  [100_000, 30],
] as const;

/** What was promised, and whether this run kept it. */
const GOALS = [
  { goal: "observe, unbatched ≥ 0.3× bare", met: ratioOf("unbatched") >= 0.3 },
  { goal: "observe, batches of 50 ≥ 1× bare", met: ratioOf("batches") >= 1 },
  {
    goal: "commit at 1,000 events ≤ 1.2× at 10",
    met: commitCost.every(({ ratio }) => ratio <= 1.2),
  },
  ...LATENCY_GOALS.map(([patterns, ms]) => ({
    goal: `predict on ${formatCount(patterns)} patterns ≤ ${ms} ms`,
    met: predictions
      .filter((row) => row.patterns === patterns && row.threshold === 0.1)
      .every(({ latency }) => latency.median <= ms),
  })),
  {
    goal: "≤ 250 bytes a pattern",
    met: predictions.every(({ bytesPerPattern }) => Math.round(bytesPerPattern) <= 250),
  },
  ...service.rows.map(({ patterns, added }) => ({
    goal: `the service adds ≤ 2 ms on ${formatCount(patterns)} patterns`,
    met: added <= 2,
  })),
  {
    goal: "learns in batches ≥ 5,000/s",
    met: learns.every(({ perSecond }) => perSecond >= 5_000),
  },
  { goal: "observe beside predictions, p99 < 20 ms", met: service.bystanders.beside < 20 },
];

function ratioOf(name: ThroughputRow["name"]): number {
  return throughput.find((row) => row.name === name)?.ratio ?? 0;
}

const machine = `${cpus().length} cores, Node ${process.versions.node}`;
if (values.json) {
  process.stdout.write(
    `${JSON.stringify({
      machine,
      rounds,
      seconds,
      throughput,
      commitCost,
      learns,
      seed: PATTERN_SEED,
      predictions,
      service,
      overload,
      goals: GOALS,
    })}\n`,
  );
} else {
  process.stdout.write(`${machine}; medians of ${rounds} interleaved rounds of ${seconds} s\n\n`);
  process.stdout.write(`${printThroughput(throughput)}\n\n`);
  process.stdout.write(`Commit cost by length of short-term memory\n`);
  process.stdout.write(`${printCommitCost(commitCost)}\n\n`);
  process.stdout.write(
    `Learns of new patterns on Redis, seed ${PATTERN_SEED}\n${printLearns(learns)}\n\n`,
  );
  process.stdout.write(`Predictions in process, seed ${PATTERN_SEED}\n`);
  process.stdout.write(`${printPredictLatency(predictions)}\n\n`);
  process.stdout.write(`Predictions through the service, on Redis, seed ${PATTERN_SEED}\n`);
  process.stdout.write(`${printServicePredictions(service.rows)}\n\n`);
  process.stdout.write(`${printBystanders(service.bystanders)}\n\n`);
  process.stdout.write(
    `Overload: one worker on Redis, offered three times what it serves, batches of 50\n`,
  );
  process.stdout.write(`${formatOverload(overload)}\n\n`);
  const rows = GOALS.map(({ goal, met }) => [goal, met ? "kept" : "missed"]);
  process.stdout.write(`${formatTable(["goal", "this run"], rows)}\n`);
}
