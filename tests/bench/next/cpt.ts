import type { Method } from "@kato-rpc/server/cli/evaluate/predictor.ts";

/** The authors' settings for click streams (their profile for BMS, which is their default too). */
const SETTINGS = {
  /** Last events of a learned sequence that are kept. */
  splitLength: 10,
  /** Last events of a context that are looked for. */
  windowSize: 5,
  /** Votes wanted, one more than this many for each event looked for. */
  minPredictionRatio: 2,
  /** The best must be so many times the second, or nothing is told. */
  leastLead: 1.002,
} as const;

/**
 * CPT+ of Gueniche, Fournier-Viger, Raman and Tseng 2015, "CPT+: Decreasing the time/space complexity of the compact prediction
 * tree", as their program IPredict plays it, tree and compressions apart, which only save room: learned sequences that
 * hold all events looked for score the events after the last of these to come; then the same without one of them, and so
 * on, level by level, until there were votes enough. It tells one event or none, no probabilities, and knows no end: here
 * the event has nearly all, and each other event a part by its rank.
 */
export const cptPlus: Method = ({ sequences, events }) => {
  const kept = sequences.map((sequence) => sequence.slice(-SETTINGS.splitLength));
  const holders = Array.from({ length: events }, () => new Set<number>());
  for (const [index, sequence] of kept.entries()) {
    for (const event of sequence) holders[event]?.add(index);
  }
  const support = (event: number): number => holders[event]?.size ?? 0;

  return {
    predict(context) {
      const known = context
        .slice(-SETTINGS.windowSize)
        .filter((event) => event < events && support(event) > 0);
      const scores = new Scores(kept, holders);
      const least = 1 + Math.floor(known.length * SETTINGS.minPredictionRatio);
      let told = Number(scores.vote(known) && scores.best() !== undefined);
      const seen = new Set<string>();
      const queue = [known];
      for (let wanted = queue.shift(); wanted && told < least; wanted = queue.shift()) {
        if (seen.has(wanted.join())) continue;
        seen.add(wanted.join());
        for (const noise of wanted.toSorted((a, b) => support(b) - support(a))) {
          const fewer = wanted.toSpliced(wanted.indexOf(noise), 1);
          if (fewer.length > 1) queue.push(fewer);
          if (scores.vote(fewer)) told += Number(scores.best() !== undefined);
        }
      }
      return distributionOf(scores, events);
    },
  };
};

class Scores {
  readonly #table = new Map<number, number>();
  readonly #visited = new Set<number>();
  readonly #sequences: readonly (readonly number[])[];
  readonly #holders: readonly ReadonlySet<number>[];

  constructor(sequences: readonly (readonly number[])[], holders: readonly ReadonlySet<number>[]) {
    this.#sequences = sequences;
    this.#holders = holders;
  }

  /** Whether a sequence that was not asked before, and holds all of these events, has one after them. */
  vote(wanted: readonly number[]): boolean {
    const alike = this.#alike(wanted);
    let isScored = false;
    for (const index of alike) {
      if (this.#visited.has(index)) continue;
      this.#visited.add(index);
      const missing = new Set(wanted);
      let distance = 0;
      for (const event of this.#sequences[index] ?? []) {
        if (missing.size > 0) {
          missing.delete(event);
          continue;
        }
        distance += 1;
        // In 32 bits as there, where many votes come to infinity, and events are alike.
        const score = Math.fround(1 / alike.length + 1 + 0.0001 / distance);
        this.#table.set(event, Math.fround((this.#table.get(event) ?? 1) * score));
        isScored = true;
      }
    }
    return isScored;
  }

  /** In the order of the sequences. */
  #alike(wanted: readonly number[]): number[] {
    const [rarest, ...others] = wanted
      .map((event) => this.#holders[event] ?? new Set<number>())
      .toSorted((a, b) => a.size - b.size);
    if (rarest === undefined) return [];
    return [...rarest].filter((index) => others.every((holder) => holder.has(index)));
  }

  /** undefined: none, or none that is far enough ahead. */
  best(): number | undefined {
    let best: number | undefined;
    let most = 0;
    let second = 0;
    for (const [event, score] of this.#table) {
      if (score > most) [best, most, second] = [event, score, most];
      else if (score === most) best = Math.min(event, best ?? event);
      else if (score > second) second = score;
    }
    return most / second < SETTINGS.leastLead ? undefined : best;
  }

  /** Best first, and of equals the event with the lowest number. */
  ranked(): [event: number, score: number][] {
    return [...this.#table].toSorted(([a, one], [b, other]) =>
      one === other ? a - b : other - one,
    );
  }
}

/** 0.9 to the event that is told, and half of the rest to each rank in turn, with a little for all. */
function distributionOf(scores: Scores, events: number): Float64Array {
  const distribution = new Float64Array(events + 2).fill(0.01 / (events + 2));
  const best = scores.best();
  if (best !== undefined) distribution[best] = (distribution[best] ?? 0) + 0.9;
  let left = 0.09;
  for (const [event] of scores.ranked()) {
    if (event === best) continue;
    left /= 2;
    distribution[event] = (distribution[event] ?? 0) + left;
  }
  return distribution;
}
