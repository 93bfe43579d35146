/**
 * How well methods tell what comes next. On the log of a help desk as issue 6 asks for it, on folds of its training part, and on
 * sources made up here: `npm run bench:next -- [PATH of helpdesk.csv]`. Only the training part of the help desk and the made-up
 * sources were looked at when the method was chosen.
 */
import { BASELINES } from "@kato-rpc/server/cli/evaluate/baselines.ts";
import type { Method } from "@kato-rpc/server/cli/evaluate/predictor.ts";
import { scoreMethod } from "@kato-rpc/server/cli/evaluate/score.ts";
import type { Sequence, Split } from "@kato-rpc/server/cli/evaluate/splits.ts";
import { foldsOf, splitInThirds } from "@kato-rpc/server/cli/evaluate/splits.ts";
import { nextEvents } from "@kato-rpc/server/engine/next/next-events.ts";
import { formatCount, formatTable } from "../measure.ts";
import { cptPlus } from "./cpt.ts";
import { readEventLog } from "./event-log.ts";
import { learnedNode, node } from "./node-method.ts";
import { clickSource, markovSource, processSource } from "./sources.ts";

const HELP_DESK = "../shared/data/helpdesk.csv";
const SECONDS_TIMED = 1;

const METHODS: Readonly<Record<string, Method>> = {
  ...BASELINES,
  "CPT+": cptPlus,
  "session.next": node,
};

function sources(): Record<string, Split[]> {
  const inThirds = (sequences: readonly Sequence[]): Split[] => [splitInThirds(sequences)];
  const clicks = { repeats: 0.15, skips: 0.25 };
  return {
    "process of 1,500 cases": inThirds(processSource({ count: 1_500, seed: 11 })),
    "process of 300 cases": inThirds(processSource({ count: 300, seed: 12 })),
    "Markov of order 1": inThirds(markovSource({ order: 1, symbols: 30, count: 1_500, seed: 1 })),
    "Markov of order 2": inThirds(markovSource({ order: 2, symbols: 12, count: 2_500, seed: 2 })),
    "Markov of order 3": inThirds(markovSource({ order: 3, symbols: 6, count: 2_500, seed: 3 })),
    "clicks on 400 pages": inThirds(
      clickSource({ ...clicks, pages: 400, topics: 40, count: 3_000, seed: 21 }),
    ),
    "clicks on 2,000 pages": inThirds(
      clickSource({ ...clicks, skips: 0.4, pages: 2_000, topics: 150, count: 3_000, seed: 22 }),
    ),
    "clicks with many repeats": inThirds(
      clickSource({ pages: 100, topics: 15, repeats: 0.4, skips: 0.1, count: 4_000, seed: 23 }),
    ),
  };
}

function printScores(title: string, splits: readonly Split[]): void {
  const rows = Object.entries(METHODS).map(([name, method]) => {
    const { accuracy, logLossBits, brier, calibrationError, eventAccuracy } = scoreMethod(
      method,
      splits,
    );
    return [
      name,
      logLossBits.toFixed(4),
      accuracy.at1.toFixed(4),
      accuracy.at3.toFixed(4),
      accuracy.at5.toFixed(4),
      brier.toFixed(4),
      calibrationError.toFixed(4),
      eventAccuracy.toFixed(4),
    ];
  });
  const header = [
    "method",
    "log loss, bits",
    "right at 1",
    "at 3",
    "at 5",
    "Brier",
    "ECE",
    "events right",
  ];
  console.log(`${title}\n\n${formatTable(header, rows)}\n`);
}

/** Answers of ten events a second, on one thread, with everything learned. */
function printSpeed(sequences: readonly Sequence[]): void {
  const replica = learnedNode(sequences);
  const contexts = sequences.map((sequence) => sequence.map((event) => [event]));
  const question = { limit: 10, horizon: 1 };
  const times: number[] = [];
  const begin = performance.now();
  for (let i = 0; performance.now() - begin < SECONDS_TIMED * 1_000; i += 1) {
    const before = performance.now();
    nextEvents(replica, contexts[i % contexts.length] ?? [], question);
    times.push(performance.now() - before);
  }
  const perSecond = times.length / ((performance.now() - begin) / 1_000);
  const p99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
  console.log(
    `${formatCount(perSecond)} answers a second, p99 ${p99.toFixed(3)} ms, from ` +
      `${formatCount(replica.totals().patterns)} patterns of ${formatCount(sequences.length)} cases`,
  );
}

const helpDesk = readEventLog(process.argv[2] ?? HELP_DESK);
const split = splitInThirds(helpDesk);
printScores("help desk", [split]);
printScores("help desk, five folds of the training part", foldsOf(split.training, 5));
for (const [title, splits] of Object.entries(sources())) printScores(title, splits);
printSpeed(helpDesk);
