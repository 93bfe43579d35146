import { formatOverload } from "../support/open-loop/overload.ts";
import { STORE_KINDS } from "../support/service.ts";
import type { CommitCostRow } from "./commit-cost.ts";
import { measureCommitCost, printCommitCost } from "./commit-cost.ts";
import { halfLoadSteps, measureHalfLoad, printHalfLoad } from "./half-load.ts";
import { measureLearns, printLearns } from "./learn-throughput.ts";
import { formatCount } from "./measure.ts";
import { measureOverload } from "./overload.ts";
import { measurePredictLatency, printPredictLatency } from "./predict-latency.ts";
import { PATTERN_SEED } from "./random-patterns.ts";
import type { Section } from "./section.ts";
import { atLeast, atMost } from "./section.ts";
import {
  measureServicePredictions,
  printBystanders,
  printServicePredictions,
} from "./service-predictions.ts";
import { printThroughput, throughputGoals } from "./throughput/format-throughput.ts";
import { measureThroughput, throughputSteps } from "./throughput/measure-throughput.ts";

const SIZES = [1_000, 10_000, 100_000];

const throughput: Section = {
  name: "throughput",
  title: "Observes",
  about:
    "Closed loop, one after another in every round: 50 connections unbatched, 10 with batches and sequences, the load generator on the same cores. (b) runs the service's script once per request without RPC, validation, ids or limits. µs are processor time of all processes of a server per observe, latencies those of whole requests.",
  steps: ({ rounds }) => throughputSteps(rounds),
  async measure({ rounds, seconds }, onStep) {
    const figures = await measureThroughput({ rounds, seconds, onStep });
    return { text: printThroughput(figures), goals: throughputGoals(figures), figures };
  },
};

const halfLoad: Section = {
  name: "half-load",
  title: "Latency at half capacity",
  about:
    "Open loop, unbatched, one worker: each server is offered half of what it just served in a closed loop. Calls are due at even intervals and latencies count from then; twice a millisecond the generator, which has precedence where it may (as root), sends those due and reads answers, which adds up to 0.5 ms at either end.",
  steps: ({ rounds }) => halfLoadSteps(rounds),
  async measure({ rounds, seconds }, onStep) {
    const figures = await measureHalfLoad({ rounds, seconds: seconds * 2, onStep });
    const goals = figures
      .filter(({ isService }) => isService)
      .flatMap(({ server, p99, p999 }) => [
        atMost(`${server}, half of capacity: p99 ≤ 3 ms`, p99.median, 3),
        atMost(`${server}, half of capacity: p99.9 ≤ 10 ms`, p999.median, 10),
      ]);
    return { text: printHalfLoad(figures), goals, figures };
  },
};

const commitCost: Section = {
  name: "commit-cost",
  title: "Commit cost by length of short-term memory",
  about: "Through the stores, without HTTP, on sessions that hold 10 and 1,000 events.",
  steps: () => STORE_KINDS.length,
  async measure({ rounds }, onStep) {
    const figures: CommitCostRow[] = [];
    for (const kind of STORE_KINDS) {
      figures.push(await measureCommitCost(kind, { rounds: rounds * 2 }));
      onStep();
    }
    const goals = figures.map(({ store, ratio }) =>
      atMost(`commit on ${store} at 1,000 events ≤ 1.2× at 10`, ratio, 1.2),
    );
    return { text: printCommitCost(figures), goals, figures };
  },
};

const learns: Section = {
  name: "learns",
  title: "Learns of new patterns on Redis",
  about: `One worker; random patterns, seed ${PATTERN_SEED}.`,
  steps: ({ rounds }) => rounds,
  async measure({ rounds, seconds }, onStep) {
    const figures = await measureLearns({ rounds, seconds, onRound: onStep });
    const slowest = Math.min(...figures.map(({ perSecond }) => perSecond));
    const goals = [atLeast("learns/s in batches ≥ 5,000", slowest, 5_000)];
    return { text: printLearns(figures), goals, figures };
  },
};

/** Median ms of a prediction on so many patterns, at threshold 0.1 and 0.5. */
const PREDICT_GOALS = [
  [1_000, 0.3, 0.1],
  [10_000, 2, 0.3],
  [100_000, 20, 2],
] as const;

const predictions: Section = {
  name: "predictions",
  title: "Predictions in process",
  about: `Patterns of 10 symbols (Zipf, vocabulary 1,000, seed ${PATTERN_SEED}), questions of 5, all figures of the 100 best.`,
  steps: () => 1,
  async measure(_scale, onStep) {
    const queriesFor = (size: number) => Math.max(200, Math.min(4_000, 10_000_000 / size));
    const figures = measurePredictLatency({ sizes: SIZES, queriesFor });
    onStep();
    const goals = PREDICT_GOALS.flatMap(([patterns, low, high]) =>
      [
        [0.1, low],
        [0.5, high],
      ].map(([threshold = 0, ms = 0]) => {
        const row = figures.find(
          (each) => each.patterns === patterns && each.threshold === threshold,
        );
        const goal = `predict on ${formatCount(patterns)} patterns at ${threshold} ≤ ${ms} ms`;
        return atMost(goal, row?.latency.median ?? Number.NaN, ms);
      }),
    );
    const bytes = Math.max(...figures.map(({ bytesPerPattern }) => bytesPerPattern));
    return {
      text: printPredictLatency(figures),
      goals: [...goals, atMost("bytes a pattern ≤ 250", Math.round(bytes), 250)],
      figures,
    };
  },
};

const service: Section = {
  name: "service-predictions",
  title: "Predictions through the service, on Redis",
  about:
    "Until the whole reply (some 170 KB of JSON) has come over HTTP; `client` has it parsed as well, `first` loads the node from Redis.",
  steps: () => SIZES.length,
  async measure({ seconds, isQuick }, onStep) {
    const queries = isQuick ? 50 : 200;
    const figures = await measureServicePredictions({
      sizes: SIZES,
      queries,
      seconds: seconds * 2,
      onSize: onStep,
    });
    const { rows, bystanders } = figures;
    const goals = rows.map(({ patterns, added }) =>
      atMost(`ms the service adds on ${formatCount(patterns)} patterns ≤ 2`, added, 2),
    );
    return {
      text: `${printServicePredictions(rows)}\n\n${printBystanders(bystanders)}`,
      goals: [...goals, atMost("observe beside predictions, p99 ms ≤ 20", bystanders.beside, 20)],
      figures,
    };
  },
};

const overload: Section = {
  name: "overload",
  title: "Overload",
  about:
    "One worker on Redis, offered three times what it serves, batches of 50; the load takes its share of the processors.",
  steps: () => 1,
  async measure({ seconds }, onStep) {
    const figures = await measureOverload(seconds * 2);
    onStep();
    return { text: formatOverload(figures), goals: [], figures };
  },
};

export const SECTIONS: readonly Section[] = [
  throughput,
  halfLoad,
  commitCost,
  learns,
  predictions,
  service,
  overload,
];
