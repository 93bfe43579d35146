import type { SequencePrediction } from "@kato-rpc/shared/prediction.ts";
import type { RANK_FIELDS } from "@kato-rpc/shared/session-config.ts";

export type RankField = (typeof RANK_FIELDS)[number];

/** How many times `maxPredictions` candidates go into the ensemble at most (prediction.md §8.1). */
export const ENSEMBLE_FACTOR = 3;

/** What the order of candidates depends on before the ensemble is known. Hashes are distinct. */
export interface Rankable {
  hash: string;
  similarity: number;
  /** Compared only when candidates are pruned. */
  preliminaryPotential: number;
}

/** More similar first, then by hash (prediction.md §9, product rule). Total: no two patterns are equal. */
export function bySimilarity(a: Rankable, b: Rankable): number {
  return b.similarity - a.similarity || (a.hash < b.hash ? -1 : 1);
}

/** Higher preliminary potential first, then `bySimilarity`: the order of an ensemble that was pruned. */
function byPreliminaryPotential(a: Rankable, b: Rankable): number {
  return b.preliminaryPotential - a.preliminaryPotential || bySimilarity(a, b);
}

/**
 * The ensemble among the candidates: all of them by similarity, or when there are more than `limit` the best by
 * preliminary potential. Every sum over the ensemble is made in this order.
 */
export function pruneToEnsemble<T extends Rankable>(candidates: readonly T[], limit: number): T[] {
  return candidates.length <= limit
    ? candidates.toSorted(bySimilarity)
    : candidates.toSorted(byPreliminaryPotential).slice(0, limit);
}

/**
 * The first `count` by `field`, highest first, null last; among equals the order given, which is the ensemble's
 * (prediction.md §9).
 */
export function rankBy<T extends Pick<SequencePrediction, RankField>>(
  predictions: readonly T[],
  field: RankField,
  count: number,
): T[] {
  const keyOf = (prediction: T): number => prediction[field] ?? -Infinity;
  return predictions.toSorted((a, b) => compareDescending(keyOf(a), keyOf(b))).slice(0, count);
}

function compareDescending(a: number, b: number): number {
  return a > b ? -1 : Number(a < b);
}
