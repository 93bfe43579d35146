import type { Order } from "./best-candidates.ts";
import { BestCandidates } from "./best-candidates.ts";
import type { Candidates } from "./candidates.ts";
import type { Extraction } from "./extraction.ts";
import { compareHashes } from "./hash-words.ts";
import type { NodeReplica } from "./node-replica.ts";
import { PotentialBound } from "./potential-bound.ts";
import type { StateQuery } from "./state-query.ts";

/** Positions in the candidates' lists, most similar first, then by hash (prediction.md §9, product rule). */
export function sortCandidates(node: NodeReplica, candidates: Candidates): number[] {
  const order = Array.from({ length: candidates.count }, (_, index) => index);
  return order.sort(bySimilarity(node, candidates));
}

function bySimilarity({ patterns }: NodeReplica, candidates: Candidates): Order {
  const { slots, similarities } = candidates;
  const { hashes } = patterns;
  return (a, b) =>
    (similarities[b] ?? 0) - (similarities[a] ?? 0) ||
    compareHashes(hashes, slots[a] ?? 0, slots[b] ?? 0);
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
 * come first that share most with the state, so that most of the others need not be extracted: at best they come after
 * the last of those kept.
 */
export function pruneCandidates(pruning: Pruning): number[] {
  const { node, query, candidates, extraction, limit } = pruning;
  const { slots, commons, count } = candidates;
  const { starts } = node.patterns;
  const potentials = new Float64Array(count);
  const compareTied = bySimilarity(node, candidates);
  const best = new BestCandidates(
    limit,
    (a, b) => (potentials[b] ?? 0) - (potentials[a] ?? 0) || compareTied(a, b),
  );
  const isBounded = extraction.fuzzy === undefined && commons !== undefined;
  const bound = isBounded ? new PotentialBound(query.state.length) : undefined;
  const order = isBounded ? byCommonLength(commons, count) : undefined;
  for (let i = 0; i < count; i += 1) {
    const index = order?.[i] ?? i;
    const slot = slots[index] ?? 0;
    const length = (starts[slot + 1] ?? 0) - (starts[slot] ?? 0);
    query.breathe(length);
    const last = best.last;
    if (bound !== undefined && last >= 0) {
      const highest = bound.of(commons?.[index] ?? 0, length);
      const needed = potentials[last] ?? 0;
      if (highest < needed || (highest === needed && compareTied(index, last) > 0)) continue;
    }
    extraction.extract(slot, commons?.[index]);
    potentials[index] = extraction.preliminaryPotential;
    best.add(index);
  }
  return best.sorted();
}

/** Positions by descending common length: a counting sort. */
function byCommonLength(commons: Int32Array, count: number): Int32Array {
  const ends: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const common = commons[index] ?? 0;
    while (ends.length <= common) ends.push(0);
    ends[common] = (ends[common] ?? 0) + 1;
  }
  let end = 0;
  for (let common = ends.length - 1; common >= 0; common -= 1) {
    const here = ends[common] ?? 0;
    ends[common] = end;
    end += here;
  }
  const order = new Int32Array(count);
  for (let index = 0; index < count; index += 1) {
    const common = commons[index] ?? 0;
    const at = ends[common] ?? 0;
    order[at] = index;
    ends[common] = at + 1;
  }
  return order;
}
