import type { WeightedFigures } from "@kato-rpc/shared/prediction.ts";

/** Base figures weighted by affinity (prediction.md §7). */

export const UNWEIGHTED: Readonly<WeightedFigures> = Object.freeze({
  weightedSimilarity: null,
  weightedEvidence: null,
  weightedConfidence: null,
  weightedSnr: null,
});

/** What a symbol weighs that has no affinity. */
const LEAST_WEIGHT = 0.01;

/** `|affinity|/frequency + 0.01`; `frequency` is how often the symbol was learned, 0 when it never was. */
export function affinityWeight(affinity: number, frequency: number): number {
  if (frequency <= 0 || affinity === 0) return LEAST_WEIGHT;
  return Math.abs(affinity) / frequency + LEAST_WEIGHT;
}

/** Weights of lists of symbols, repeats included: sums in the order of each list. */
export interface WeightSums {
  matches: number;
  state: number;
  pattern: number;
  present: number;
  extras: number;
}

/** prediction.md §7: a ratio over nothing is 0, but the similarity of nothing is null. */
export function weightedFigures(sums: WeightSums): WeightedFigures & Record<string, number | null> {
  const both = sums.state + sums.pattern;
  return {
    weightedSimilarity: both === 0 ? null : (2 * sums.matches) / both,
    weightedEvidence: ratio(sums.matches, sums.pattern),
    weightedConfidence: ratio(sums.matches, sums.present),
    weightedSnr: ratio(sums.matches, sums.matches + sums.extras),
  };
}

export function sumWeights(
  symbols: readonly string[],
  weights: ReadonlyMap<string, number>,
): number {
  let sum = 0;
  for (const symbol of symbols) sum += weights.get(symbol) ?? 0;
  return sum;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
