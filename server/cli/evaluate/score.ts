import type { Method, Training } from "./predictor.ts";
import type { Sequence, Split } from "./splits.ts";

/** Contexts that are predicted from have at least so many events. */
export const LEAST_CONTEXT = 2;
/** Of equal width, over the confidence of the best answer. */
const CALIBRATION_BINS = 15;

export interface Score {
  answers: number;
  /** Share of answers whose first, first three and first five outcomes hold what came. */
  accuracy: { at1: number; at3: number; at5: number };
  /** Share right of the answers after which an event came, the end left out of the ranking; null without such answers. */
  eventAccuracy: number | null;
  /** Mean of −log₂ of the probability of what came. */
  logLossBits: number;
  /** Mean over answers of the squared differences to what came, summed over outcomes: 0 to 2. */
  brier: number;
  /** Mean over answers of |confidence − accuracy| of their bin: Naeini, Cooper and Hauskrecht 2015. */
  calibrationError: number;
}

/** Events as numbers, in the order in which the training sequences have them; one that they lack has the last. */
export class EventNumbers {
  readonly training: Training;
  readonly #numbers = new Map<string, number>();

  constructor(sequences: readonly Sequence[]) {
    const numbered = sequences.map((sequence) =>
      sequence.map((event) => {
        const number = this.#numbers.get(event) ?? this.#numbers.size;
        this.#numbers.set(event, number);
        return number;
      }),
    );
    this.training = { sequences: numbered, events: this.#numbers.size };
  }

  /** What comes at each place of a sequence, the end included. */
  outcomesOf(sequence: Sequence): number[] {
    return [...sequence.map((event) => this.of(event)), this.training.events];
  }

  of(event: string): number {
    return this.#numbers.get(event) ?? this.training.events + 1;
  }
}

/** The scores of `tallyMethod`. */
export function scoreMethod(method: Method, splits: readonly Split[]): Score {
  return tallyMethod(method, splits).score();
}

/**
 * Every prefix of at least two events of every test sequence, the whole one among them, after which comes the end. An
 * event that was never learned is an outcome of its own; ties are broken in favour of the outcome learned first.
 */
export function tallyMethod(method: Method, splits: readonly Split[]): Tally {
  const tally = new Tally();
  for (const _ of tallySteps(method, splits, tally));
  return tally;
}

/** The same into `tally`, with a pause after what was learned, and after each sequence. */
export function* tallySteps(
  method: Method,
  splits: Iterable<Split>,
  tally: Tally,
): Generator<void, void> {
  for (const { training, test } of splits) {
    const numbers = new EventNumbers(training);
    const predictor = method(numbers.training);
    yield;
    for (const sequence of test) {
      const outcomes = numbers.outcomesOf(sequence);
      for (let at = LEAST_CONTEXT; at < outcomes.length; at += 1) {
        tally.add(predictor.predict(outcomes.slice(0, at)), outcomes[at] ?? 0);
      }
      yield;
    }
  }
}

/** Sums up answers. */
export class Tally {
  /** By answer: 1 where the first outcome was what came. */
  readonly right: number[] = [];
  /** By answer: −log₂ of the probability of what came. */
  readonly bits: number[] = [];
  readonly #rightWithin = { at1: 0, at3: 0, at5: 0 };
  readonly #events = { answers: 0, right: 0 };
  #brier = 0;
  readonly #bins = Array.from({ length: CALIBRATION_BINS }, () => ({ confidence: 0, right: 0 }));

  /** `answer` is its number, for those that are not added in order. */
  add(distribution: Float64Array, outcome: number, answer = this.right.length): void {
    const probability = distribution[outcome] ?? 0;
    const { confidence, squares } = sumUp(distribution);
    const place = placeOf(distribution, outcome);
    this.right[answer] = Number(place < 1);
    this.bits[answer] = -Math.log2(probability);
    this.#rightWithin.at1 += Number(place < 1);
    this.#rightWithin.at3 += Number(place < 3);
    this.#rightWithin.at5 += Number(place < 5);
    this.#addEvent(distribution, outcome);
    this.#brier += squares - 2 * probability + 1;
    const index = Math.min(CALIBRATION_BINS - 1, Math.floor(confidence * CALIBRATION_BINS));
    const bin = this.#bins[index];
    if (bin === undefined) throw new RangeError(`No bin for a confidence of ${confidence}`);
    bin.confidence += confidence;
    bin.right += Number(place < 1);
  }

  #addEvent(distribution: Float64Array, outcome: number): void {
    const end = distribution.length - 2;
    if (outcome === end) return;
    this.#events.answers += 1;
    this.#events.right += Number(placeOf(distribution, outcome, end) === 0);
  }

  score(): Score {
    const answers = this.right.length;
    const { at1, at3, at5 } = this.#rightWithin;
    const gaps = this.#bins.map(({ confidence, right }) => Math.abs(confidence - right));
    return {
      answers,
      accuracy: { at1: at1 / answers, at3: at3 / answers, at5: at5 / answers },
      eventAccuracy: this.#events.answers === 0 ? null : this.#events.right / this.#events.answers,
      logLossBits: this.bits.reduce((sum, each) => sum + each, 0) / answers,
      brier: this.#brier / answers,
      calibrationError: gaps.reduce((sum, gap) => sum + gap, 0) / answers,
    };
  }
}

/** The greatest probability, that of events never learned aside, and the sum of all squares. */
function sumUp(distribution: Float64Array): { confidence: number; squares: number } {
  const last = distribution.length - 1;
  let confidence = 0;
  let squares = 0;
  for (let outcome = 0; outcome <= last; outcome += 1) {
    const each = distribution[outcome] ?? 0;
    squares += each * each;
    if (outcome < last && each > confidence) confidence = each;
  }
  return { confidence, squares };
}

/** How many outcomes are ranked before one, `except` left out; an event that was never learned is never named. */
function placeOf(distribution: Float64Array, outcome: number, except = -1): number {
  if (outcome === distribution.length - 1) return Infinity;
  const probability = distribution[outcome] ?? 0;
  let place = 0;
  for (let other = 0; other < distribution.length - 1; other += 1) {
    const rival = distribution[other] ?? 0;
    if (other === except || rival < probability) continue;
    if (rival > probability || other < outcome) place += 1;
  }
  return place;
}
