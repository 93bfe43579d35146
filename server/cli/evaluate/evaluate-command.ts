import type { Command, Flags } from "../command.ts";
import { JSON_FLAG } from "../command.ts";
import { findCount, findText } from "../flag-values.ts";
import { interruptible } from "../interruption.ts";
import { formatNumber } from "../columns.ts";
import type { Step } from "../progress.ts";
import { openProgress } from "../progress.ts";
import { FIELD_FLAGS, readNames } from "../replay/field-flags.ts";
import type { Output } from "../screen.ts";
import { readTarget, targetFlags, withTarget } from "../target.ts";
import { UsageError } from "../usage-error.ts";
import type { EvaluateReport } from "./evaluate.ts";
import { evaluate } from "./evaluate.ts";
import type { Case, CaseFormat } from "./read-cases.ts";
import { CASE_FORMATS, guessCaseFormat, readCases } from "./read-cases.ts";
import { LEAST_CONTEXT } from "./score.ts";
import { showScores } from "./show-scores.ts";
import type { Split } from "./splits.ts";
import { foldsOf, shuffle, splitInThirds } from "./splits.ts";

const DEFAULTS = { workers: 1, concurrency: 64, seed: 1 } as const;
/** More would only wait within the client. */
const MOST_CONCURRENCY = 10_000;
const MOST_EVENTS = 10_000;
const MOST_CASES = 1_000_000_000;
const MOST_FOLDS = 100;
const MOST_SEED = 999_999_999;
/** Of which two are learned, and one is predicted. */
const LEAST_CASES = 3;

export const EVALUATE: Command = {
  name: "evaluate",
  parameters: ["FILE"],
  about: `Learns a part of the cases of FILE through the service, one pattern a case, and asks session.next what
comes after every prefix of at least two events of the others, the end of a case being one of the
answers. Prints how often that was right, how probable it was held and how far such probabilities can be
trusted (ECE, the expected calibration error), beside baselines that got the same cases; "events right" is of
the answers after which an event came, the end left out. How far session.next is ahead of a baseline, in points right
at 1 and in bits of log loss, comes with its standard error: behind by less than two of them may well be chance.
FILE is an event log as for kato replay, a sequence file of SPMF (-1 after each event, -2 at the end), or has one case
to a line, its events apart by blanks.
By default the first two thirds of the cases are learned, 2 · round(n / 3), and the others predicted;
with --folds each case is predicted once, from what the other folds teach.
Calls are timed one after another, after all else.`,
  flags: {
    ...targetFlags(DEFAULTS.workers),
    format: { value: CASE_FORMATS.join("|"), meaning: "of FILE, whatever it looks like" },
    ...FIELD_FLAGS,
    cases: { value: "N", meaning: "the first of FILE alone", default: "all" },
    folds: { value: "K", meaning: "folds in place of two thirds and a third, drawn with --seed" },
    seed: { value: "S", meaning: "of the folds", default: String(DEFAULTS.seed) },
    k: {
      value: "N",
      meaning: "events listed in an answer at most; others share half of what is left",
      default: `all that are known, ${MOST_EVENTS} at most`,
    },
    concurrency: {
      value: "N",
      meaning: "cases under way at once",
      default: String(DEFAULTS.concurrency),
    },
    json: JSON_FLAG,
  },
  examples: [
    "kato evaluate events.csv",
    "kato evaluate clicks.spmf --folds 5 --seed 7",
    "kato evaluate words.txt --format lines --json",
    "kato evaluate events.csv --url http://127.0.0.1:8000",
  ],
  async run({ flags, parameters, screen }) {
    const [path = ""] = parameters;
    const target = readTarget(flags, DEFAULTS.workers);
    const counts = readCounts(flags);
    const format = readFormat(flags);
    const report = await interruptible(async (aborted) => {
      const log = { format: format ?? (await guessCaseFormat(path)), names: readNames(flags) };
      const cases = await readCases(path, log);
      const splits = splitCases(cases.slice(0, counts.cases), counts);
      return withTarget(target, aborted, (url, signal) => {
        const show = (step: Step) => openProgress(screen.notes, step);
        const clears = target.url !== undefined || target.store !== undefined;
        return evaluate({ ...counts, url, splits, signal, clears, openProgress: show });
      });
    });
    warnOfCutCases(report, screen.notes);
    if (flags["json"] === true) screen.result.line(JSON.stringify(report));
    else showScores(report, screen.result);
    return 0;
  },
};

type Counts = {
  cases: number | undefined;
  folds: number | undefined;
  seed: number;
  k: number | undefined;
  concurrency: number;
};

/** @throws UsageError */
function readCounts(flags: Flags): Counts {
  const folds = findCount(flags, "folds", MOST_FOLDS);
  const seed = findCount(flags, "seed", MOST_SEED);
  if (folds === 1) throw new UsageError("--folds 1: there must be two at least");
  if (seed !== undefined && folds === undefined) throw new UsageError("--seed needs --folds");
  return {
    cases: findCount(flags, "cases", MOST_CASES),
    folds,
    seed: seed ?? DEFAULTS.seed,
    k: findCount(flags, "k", MOST_EVENTS),
    concurrency: findCount(flags, "concurrency", MOST_CONCURRENCY) ?? DEFAULTS.concurrency,
  };
}

function warnOfCutCases({ cutCases }: EvaluateReport, notes: Output): void {
  if (cutCases === 0) return;
  const cases = cutCases === 1 ? "1 case has" : `${formatNumber(cutCases)} cases have`;
  const line = `${cases} more events than a session keeps (KATO_STM_LIMIT); the newest count alone`;
  notes.line(notes.style("yellow", line));
}

/** undefined: by the file. @throws UsageError */
function readFormat(flags: Flags): CaseFormat | undefined {
  const text = findText(flags, "format");
  const format = CASE_FORMATS.find((known) => known === text);
  if (text === undefined || format !== undefined) return format;
  throw new UsageError(`--format ${JSON.stringify(text)}: expected ${CASE_FORMATS.join(", ")}`);
}

/** @throws UsageError when there is nothing to learn or to predict */
function splitCases(cases: readonly Case[], { folds, seed }: Counts): Split<Case>[] {
  const least = folds ?? LEAST_CASES;
  if (cases.length < least) {
    throw new UsageError(`the file has too few cases: ${cases.length}, expected ${least} at least`);
  }
  const splits =
    folds === undefined ? [splitInThirds(cases)] : foldsOf(shuffle(cases, seed), folds);
  if (splits.some(({ test }) => test.some(({ length }) => length >= LEAST_CONTEXT))) return splits;
  throw new UsageError(`no case that is to be predicted has ${LEAST_CONTEXT} events`);
}
