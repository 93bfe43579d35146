import type { Candidates } from "./candidates.ts";
import type { Extraction } from "./extraction.ts";
import { compareHashes } from "./hash-words.ts";
import type { NodeReplica } from "./node-replica.ts";
import { PotentialBound } from "./potential-bound.ts";
import { PreliminaryRanking } from "./preliminary-ranking.ts";
import type { StateQuery } from "./state-query.ts";

/** Positions in the candidates' lists, most similar first, then by hash (prediction.md §9, product rule). */
export function sortCandidates(node: NodeReplica, candidates: Candidates): Int32Array {
  const order = positionsOf(candidates.count, new Int32Array(candidates.count));
  const { slots, similarities } = candidates;
  return order.sort(
    (a, b) =>
      (similarities[b] ?? 0) - (similarities[a] ?? 0) ||
      compareHashes(node.patterns.hashes, slots[a] ?? 0, slots[b] ?? 0),
  );
}

/** Candidates for each that is kept, beyond which most of them are let go without a comparison of hashes. */
const MOST_PER_KEPT = 4;

export interface Pruning {
  node: NodeReplica;
  query: StateQuery;
  candidates: Candidates;
  extraction: Extraction;
  limit: number;
}

/** Candidates by their positions, and of each where its extraction is kept; −1 where it is not. */
export interface Pruned {
  order: Int32Array;
  kept: Int32Array;
}

/**
 * Positions of the `limit` candidates of the highest preliminary potential, in that order (prediction.md §8.1). They
 * are gone through by how much they share with the state, most first, so that most of the others need not be extracted:
 * at best they come after the last of those kept. Where most are kept, those come before whose potential is known.
 */
export function pruneCandidates(pruning: Pruning): Pruned {
  const { node, query, candidates, extraction, limit } = pruning;
  const { slots, commons, count } = candidates;
  const { starts, longestEvent } = node.patterns;
  const { arrays, work } = query;
  const kept = arrays.ints(count).fill(-1, 0, count);
  const ranking = new PreliminaryRanking(node.patterns.hashes, candidates, { limit, arrays, work });
  const isBounded = extraction.fuzzy === undefined && commons !== undefined;
  const bound = isBounded ? new PotentialBound(query.state.length, longestEvent) : undefined;
  // Where many are kept, it pays to put them in order first.
  const areMostKept = count <= limit * MOST_PER_KEPT;
  const before = areMostKept ? ranking.byFirstWord() : positionsOf(count, arrays.ints(count));
  const onesFirst = areMostKept && bound?.isExactForOne === true;
  const order = isBounded
    ? byCommonLength(commons, before, { count, onesFirst, order: arrays.ints(count) })
    : undefined;
  for (let i = 0; i < count; i += 1) {
    const index = order?.[i] ?? i;
    const slot = slots[index] ?? 0;
    const common = commons?.[index];
    const length = (starts[slot + 1] ?? 0) - (starts[slot] ?? 0);
    query.breathe(length);
    const highest = bound?.of(common ?? 0, length) ?? Infinity;
    if (common === 1 && bound?.isExactForOne === true) {
      ranking.add(index, highest);
      continue;
    }
    if (!ranking.keeps(index, highest)) continue;
    extraction.extract(slot, common);
    if (ranking.add(index, extraction.preliminaryPotential) && bound !== undefined) {
      kept[index] = extraction.keep();
    }
  }
  return { order: ranking.sorted(), kept };
}

/** The positions of so many candidates, as they are. */
function positionsOf(count: number, positions: Int32Array): Int32Array {
  for (let index = 0; index < count; index += 1) positions[index] = index;
  return positions;
}

/** By descending common length, with those of length 1 before all if so wished, otherwise as in `before`: a counting sort. */
function byCommonLength(
  commons: Int32Array,
  before: Int32Array,
  { count, onesFirst, order }: { count: number; onesFirst: boolean; order: Int32Array },
): Int32Array {
  const ends: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const common = commons[i] ?? 0;
    while (ends.length <= common) ends.push(0);
    ends[common] = (ends[common] ?? 0) + 1;
  }
  let end = onesFirst ? (ends[1] ?? 0) : 0;
  if (end > 0) ends[1] = 0;
  for (let common = ends.length - 1; common >= 0; common -= 1) {
    if (common === 1 && onesFirst) continue;
    const here = ends[common] ?? 0;
    ends[common] = end;
    end += here;
  }
  for (let i = 0; i < count; i += 1) {
    const index = before[i] ?? 0;
    const common = commons[index] ?? 0;
    const at = ends[common] ?? 0;
    order[at] = index;
    ends[common] = at + 1;
  }
  return order;
}
