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
import { SETS } from "./sets.ts";

const HELP_DESK = "../shared/data/helpdesk.csv";
const SECONDS_TIMED = 1;

const METHODS: Readonly<Record<string, Method>> = {
  ...BASELINES,
  "CPT+": cptPlus,
  "session.next": node,
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
for (const [title, make] of Object.entries(SETS)) printScores(title, [splitInThirds(make())]);
printSpeed(helpDesk);
