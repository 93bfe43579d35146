import { setImmediate } from "node:timers/promises";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { eventKey } from "../../engine/next/event-order.ts";
import { BASELINES } from "./baselines.ts";
import type { Difference } from "./difference.ts";
import { casesOfAnswers, differenceOf } from "./difference.ts";
import type { Case } from "./read-cases.ts";
import type { Score } from "./score.ts";
import { EventNumbers, LEAST_CONTEXT, Tally, tallySteps } from "./score.ts";
import { distributionOf } from "./service-method.ts";
import type { ServiceOptions } from "./service-run.ts";
import { ServiceRun } from "./service-run.ts";
import type { Split } from "./splits.ts";

export type EvaluateOptions = ServiceOptions & {
  splits: readonly Split<Case>[];
  /** Cases under way at once. */
  concurrency: number;
  /** Events listed in an answer at most; undefined: all that are known, as far as the service goes. */
  k: number | undefined;
  /** Whether what was learned is to be removed from the service. */
  clears: boolean;
};

export type EvaluateReport = {
  /** Cases that were learned from and predicted, over all splits. */
  training: number;
  test: number;
  /** Distinct patterns that the first split's training cases made. */
  patterns: number;
  /** Distinct events that they have. */
  knownEvents: number;
  answers: number;
  /** Cases with more events than a session keeps, of which only the newest were learned, or asked after. */
  cutCases: number;
  /** Of the service with many cases under way, the observes between the answers included. */
  answersPerSecond: number;
  /** Of answers of the usual length, one call after another. */
  latencyMs: { calls: number; p50: number; p99: number };
  /** `session.next` and the baselines, on the same answers. */
  methods: MethodReport[];
};

export type MethodReport = { name: string } & Score & {
    /** `session.next` less this one, in accuracy at 1 and in log loss. */
    lead: { accuracy: Difference; logLossBits: Difference };
  };

/** Answers that are timed one after another. */
const TIMED_ANSWERS = 2_000;
/** Between two turns of the event loop while the baselines are scored. */
const PAUSE_MS = 50;
/** What `session.next` lists unless told otherwise. */
const USUAL_EVENTS = 10;

/** @throws KatoError from the first call that fails, and the signal's reason when it is set meanwhile */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateReport> {
  const { splits } = options;
  const tally = new Tally();
  const durations: number[] = [];
  const cut = new Set<Case>();
  const learned: { patterns: number; knownEvents: number }[] = [];
  let seconds = 0;
  for (const [i, split] of splits.entries()) {
    const run = new ServiceRun(options);
    try {
      const numbers = new EventNumbers(split.training.map(keysOf));
      learned.push({
        patterns: await run.learn(split.training),
        knownEvents: numbers.training.events,
      });
      seconds += await predictAll(run, { split, numbers, tally, options });
      if (i === 0) durations.push(...(await timeAnswers(run, split.test)));
      for (const each of run.cut) cut.add(each);
    } finally {
      await run.close();
      if (options.clears) await run.clear();
    }
  }
  const score = tally.score();
  const [first = { patterns: 0, knownEvents: 0 }] = learned;
  return {
    training: splits.reduce((sum, { training }) => sum + training.length, 0),
    test: splits.reduce((sum, { test }) => sum + test.length, 0),
    ...first,
    answers: score.answers,
    cutCases: cut.size,
    answersPerSecond: score.answers / seconds,
    latencyMs: {
      calls: durations.length,
      p50: percentile(durations, 0.5),
      p99: percentile(durations, 0.99),
    },
    methods: reportsOf({ "session.next": tally, ...(await tallyBaselines(options)) }, splits),
  };
}

/** Of tallies by name, the first against each. */
function reportsOf(
  tallies: Readonly<Record<string, Tally>>,
  splits: readonly Split<Case>[],
): MethodReport[] {
  const cases = casesOfAnswers(splits);
  const [own] = Object.values(tallies);
  return Object.entries(tallies).map(([name, tally]) => ({
    name,
    ...tally.score(),
    lead: {
      accuracy: differenceOf(own?.right ?? [], tally.right, cases),
      logLossBits: differenceOf(own?.bits ?? [], tally.bits, cases),
    },
  }));
}

/** Scores what the service tells of every prefix; gives how many seconds that took. */
async function predictAll(
  run: ServiceRun,
  {
    split,
    numbers,
    tally,
    options,
  }: { split: Split<Case>; numbers: EventNumbers; tally: Tally; options: EvaluateOptions },
): Promise<number> {
  const { concurrency } = options;
  const most = Math.min(numbers.training.events, LIMITS.nextEvents.max);
  const k = Math.max(1, Math.min(options.k ?? most, most));
  const asked = new Map<Case, number[]>();
  const outcomesOf = (events: Case): number[] => {
    const found = asked.get(events) ?? numbers.outcomesOf(keysOf(events));
    asked.set(events, found);
    return found;
  };
  const firstAnswers = new Map<Case, number>();
  let answers = tally.right.length;
  for (const events of split.test) {
    firstAnswers.set(events, answers);
    answers += Math.max(0, events.length - LEAST_CONTEXT + 1);
  }
  const startedAt = performance.now();
  await run.predict(split.test, {
    label: "predicting",
    least: LEAST_CONTEXT,
    k,
    concurrency,
    onAnswer({ asked: events, length, reply }) {
      const answer = (firstAnswers.get(events) ?? 0) + length - LEAST_CONTEXT;
      tally.add(distributionOf(reply, numbers), outcomesOf(events)[length] ?? 0, answer);
    },
  });
  return (performance.now() - startedAt) / 1_000;
}

/** Milliseconds of each call, of which no other is under way. */
async function timeAnswers(run: ServiceRun, cases: readonly Case[]): Promise<number[]> {
  const timed: Case[] = [];
  let answers = 0;
  for (const events of cases) {
    if (answers >= TIMED_ANSWERS) break;
    timed.push(events);
    answers += Math.max(0, events.length - LEAST_CONTEXT + 1);
  }
  const durations: number[] = [];
  await run.predict(timed, {
    label: "timing",
    least: LEAST_CONTEXT,
    k: USUAL_EVENTS,
    concurrency: 1,
    onAnswer: ({ durationMs }) => void durations.push(durationMs),
  });
  return durations;
}

async function tallyBaselines({
  splits,
  signal,
  openProgress,
}: EvaluateOptions): Promise<Record<string, Tally>> {
  const methods = Object.entries(BASELINES);
  const keys = new Map<Case, string[]>();
  const progress = openProgress({ label: "baselines", unit: "methods", total: methods.length });
  const tallies: Record<string, Tally> = {};
  try {
    for (const [name, method] of methods) {
      const tally = new Tally();
      let pausedAt = performance.now();
      for (const _ of tallySteps(method, keySplits(splits, keys), tally)) {
        if (performance.now() - pausedAt < PAUSE_MS) continue;
        // Lets the progress be shown, and the person end it.
        await setImmediate();
        signal.throwIfAborted();
        pausedAt = performance.now();
      }
      tallies[name] = tally;
      progress.add(1);
    }
  } finally {
    progress.end();
  }
  return tallies;
}

/** Of every case the keys once, however many folds it is in. */
function* keySplits(splits: readonly Split<Case>[], keys: Map<Case, string[]>): Generator<Split> {
  const cachedKeysOf = (events: Case): string[] => {
    const found = keys.get(events) ?? keysOf(events);
    keys.set(events, found);
    return found;
  };
  for (const { training, test } of splits) {
    yield { training: training.map(cachedKeysOf), test: test.map(cachedKeysOf) };
  }
}

function keysOf(events: Case): string[] {
  return events.map(eventKey);
}

/** 0 of nothing. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
