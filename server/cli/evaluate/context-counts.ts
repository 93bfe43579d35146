import type { Training } from "./predictor.ts";

/** Stands before the first event of a sequence. */
const BEGINNING = -1;

export interface SeenContext {
  /** By outcome, how often. */
  outcomes: ReadonlyMap<number, number>;
  total: number;
}

/** What followed each run of at most `longest` events, the beginning of a sequence counted as one of them. */
export class NgramCounts {
  readonly outcomeCount: number;
  readonly #contexts = new Map<string, { outcomes: Map<number, number>; total: number }>();
  readonly #longest: number;

  constructor({ sequences, events }: Training, longest: number) {
    this.#longest = longest;
    this.outcomeCount = events + 2;
    for (const sequence of sequences) {
      const whole = [BEGINNING, ...sequence, events];
      for (let at = 1; at < whole.length; at += 1) {
        for (let length = 0; length <= longest && length <= at; length += 1) {
          this.#count(whole.slice(at - length, at).join(), whole[at] ?? events);
        }
      }
    }
  }

  /** Contexts that were seen, from the empty one to the longest. */
  contextsOf(context: readonly number[]): SeenContext[] {
    const whole = [BEGINNING, ...context];
    const found: SeenContext[] = [];
    for (let length = 0; length <= this.#longest && length <= whole.length; length += 1) {
      const seen = this.#contexts.get(whole.slice(whole.length - length).join());
      if (seen === undefined) break;
      found.push(seen);
    }
    return found;
  }

  #count(context: string, outcome: number): void {
    const seen = this.#contexts.get(context) ?? { outcomes: new Map<number, number>(), total: 0 };
    seen.outcomes.set(outcome, (seen.outcomes.get(outcome) ?? 0) + 1);
    seen.total += 1;
    this.#contexts.set(context, seen);
  }
}
