/**
 * How well methods tell what comes next. On the log of a help desk as issue 6 asks for it, on folds of its training part, and on
 * sources made up here: `npm run bench:next -- [PATH of helpdesk.csv]`. Only the training part of the help desk, the
 * made-up sources and the public logs that METHODS.md names were looked at when the method was chosen.
 */
import { BASELINES } from "@kato-rpc/server/cli/evaluate/baselines.ts";
import { casesOfAnswers } from "@kato-rpc/server/cli/evaluate/difference.ts";
import type { Method } from "@kato-rpc/server/cli/evaluate/predictor.ts";
import { scoreMethod, tallyMethod } from "@kato-rpc/server/cli/evaluate/score.ts";
import type { Sequence, Split } from "@kato-rpc/server/cli/evaluate/splits.ts";
import { foldsOf, splitInThirds } from "@kato-rpc/server/cli/evaluate/splits.ts";
import { nextEvents } from "@kato-rpc/server/engine/next/next-events.ts";
import { formatCount, formatTable } from "../measure.ts";
import { cptPlus } from "./cpt.ts";
import { readEventLog } from "./event-log.ts";
import type { Goal } from "./goal.ts";
import { compareTallies } from "./goal.ts";
import { learnedNode, node } from "./node-method.ts";
import { SETS } from "./sets.ts";

const HELP_DESK = "../shared/data/helpdesk.csv";
const SECONDS_TIMED = 1;

const CPT = "CPT+";
const NEXT = "session.next";
const METHODS: Readonly<Record<string, Method>> = {
  ...BASELINES,
  [CPT]: cptPlus,
  [NEXT]: node,
};

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
      eventAccuracy?.toFixed(4) ?? "–",
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

/** On every source against the best n-gram of it. CPT+, which tells no probabilities, has a column of its own. */
function printGoals(): void {
  const goals: Goal[] = [];
  const rows = Object.entries(SETS).map(([source, make]) => {
    const splits = [splitInThirds(make())];
    const tallies = Object.fromEntries(
      Object.entries(METHODS).map(([name, method]) => [name, tallyMethod(method, splits)]),
    );
    const { [NEXT]: tally, [CPT]: cpt, ...others } = tallies;
    if (tally === undefined || cpt === undefined) throw new Error("A method is missing");
    const next = tally.score();
    const goal = compareTallies(tally, others, casesOfAnswers(splits));
    goals.push(goal);
    return [
      source,
      next.answers,
      next.logLossBits.toFixed(4),
      `${goal.bits.mean.toFixed(4)} ± ${goal.bits.error.toFixed(4)}`,
      goal.rival,
      next.accuracy.at1.toFixed(4),
      `${goal.points.mean.toFixed(2)} ± ${goal.points.error.toFixed(2)}`,
      goal.accurateRival,
      goal.calibrationError.toFixed(4),
      (100 * ((next.eventAccuracy ?? 0) - (cpt.score().eventAccuracy ?? 0))).toFixed(1),
    ];
  });
  const header = ["source", "answers", "log loss", "more bits", "than", "right at 1"];
  const more = ["more points", "than", "ECE", "events, points over CPT+"];
  console.log(`made-up sources\n\n${formatTable([...header, ...more], rows)}\n`);
  const mean = (of: (goal: Goal) => number): number =>
    goals.reduce((sum, goal) => sum + of(goal), 0) / goals.length;
  console.log(
    `bits: mean ${mean(({ bits }) => bits.mean).toFixed(4)}, ` +
      `worst ${Math.max(...goals.map(({ bits }) => bits.mean)).toFixed(4)}; ` +
      `points: mean ${mean(({ points }) => points.mean).toFixed(2)}, ` +
      `worst ${Math.min(...goals.map(({ points }) => points.mean)).toFixed(2)}; ` +
      `ECE: mean ${mean(({ calibrationError }) => calibrationError).toFixed(4)}\n`,
  );
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
printGoals();
printScores("help desk, five folds of the training part", foldsOf(split.training, 5));
printScores("help desk", [split]);
printSpeed(helpDesk);
