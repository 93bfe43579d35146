import { BestCandidates } from "./best-candidates.ts";
import type { Candidates } from "./candidate-search.ts";
import type { Extraction } from "./extraction.ts";
import { compareHashes } from "./hash-words.ts";
import type { NodeReplica } from "./node-replica.ts";
import { PotentialBound } from "./potential-bound.ts";
import type { StateQuery } from "./state-query.ts";

/** Positions in the candidates' lists, most similar first, then by hash (prediction.md §9, product rule). */
export function sortCandidates(node: NodeReplica, candidates: Candidates): number[] {
  const isBehind = bySimilarity(node, candidates);
  return candidates.slots.map((_, index) => index).sort((a, b) => (isBehind(a, b) ? 1 : -1));
}

function bySimilarity(
  { patterns }: NodeReplica,
  { slots, similarities }: Candidates,
): (a: number, b: number) => boolean {
  return (a, b) => {
    const difference = (similarities[a] ?? 0) - (similarities[b] ?? 0);
    if (difference !== 0) return difference < 0;
    return compareHashes(patterns.hashes, slots[a] ?? 0, slots[b] ?? 0) > 0;
  };
}

export interface Pruning {
  node: NodeReplica;
  query: StateQuery;
  candidates: Candidates;
  extraction: Extraction;
  limit: number;
}

/**
 * Positions of the `limit` candidates of the highest preliminary potential, in that order (prediction.md §8.1). Those
 * come first that share most with the state, so that most of the others need not be extracted: their potential cannot
 * reach the last of those kept.
 */
export function pruneCandidates(pruning: Pruning): number[] {
  const { node, query, candidates, extraction, limit } = pruning;
  const potentials = new Float64Array(candidates.slots.length);
  const isLessSimilar = bySimilarity(node, candidates);
  const best = new BestCandidates(limit, (a, b) => {
    const difference = (potentials[a] ?? 0) - (potentials[b] ?? 0);
    return difference === 0 ? isLessSimilar(a, b) : difference < 0;
  });
  const bound = extraction.fuzzy === undefined ? new PotentialBound(query.state.length) : undefined;
  const { slots, commons } = candidates;
  const isBounded = bound !== undefined && commons.length > 0;
  for (const index of isBounded ? byCommonLength(commons) : slots.keys()) {
    const slot = slots[index] ?? 0;
    const { last } = best;
    if (isBounded && last !== undefined) {
      const highest = bound.of(commons[index] ?? 0, node.patterns.lengthOf(slot));
      if (highest < (potentials[last] ?? 0)) continue;
    }
    extraction.extract(slot);
    potentials[index] = extraction.preliminaryPotential;
    best.add(index);
  }
  return best.sorted();
}

/** Positions by descending common length: a counting sort. */
function byCommonLength(commons: readonly number[]): Int32Array {
  const ends: number[] = [];
  for (const common of commons) ends[common] = (ends[common] ?? 0) + 1;
  let end = 0;
  for (let common = ends.length - 1; common >= 0; common -= 1) {
    const count = ends[common] ?? 0;
    ends[common] = end;
    end += count;
  }
  const order = new Int32Array(commons.length);
  for (const [index, common] of commons.entries()) {
    const at = ends[common] ?? 0;
    order[at] = index;
    ends[common] = at + 1;
  }
  return order;
}
