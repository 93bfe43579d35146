/** `length` equal items: `a` from `inA` on, `b` from `inB` on. */
export interface MatchingBlock {
  inA: number;
  inB: number;
  length: number;
}

interface Range {
  fromA: number;
  toA: number;
  fromB: number;
  toB: number;
}

/**
 * The blocks that `a` and `b` share (prediction.md §5.1): the longest, the leftmost of equals in `a` and then in `b`,
 * then likewise to the left and to the right of it; ascending in both, neighbours in both merged. Ratcliff and
 * Obershelp 1988, without any junk heuristic. O(n·m) per level of nesting.
 */
export function matchingBlocks(a: readonly string[], b: readonly string[]): MatchingBlock[] {
  const blocks = blocksWithin(a, b, { fromA: 0, toA: a.length, fromB: 0, toB: b.length });
  const merged: MatchingBlock[] = [];
  for (const block of blocks) {
    const last = merged.at(-1);
    const isAdjacent =
      last !== undefined &&
      last.inA + last.length === block.inA &&
      last.inB + last.length === block.inB;
    if (isAdjacent) last.length += block.length;
    else merged.push(block);
  }
  return merged;
}

function blocksWithin(a: readonly string[], b: readonly string[], range: Range): MatchingBlock[] {
  const { fromA, toA, fromB, toB } = range;
  if (fromA >= toA || fromB >= toB) return [];
  const longest = longestBlock(a, b, range);
  if (longest.length === 0) return [];

  const { inA, inB, length } = longest;
  return [
    ...blocksWithin(a, b, { fromA, toA: inA, fromB, toB: inB }),
    longest,
    ...blocksWithin(a, b, { fromA: inA + length, toA, fromB: inB + length, toB }),
  ];
}

/** `endingHere[j]` is the length of the block that ends with this item of `a` and item j − 1 of `b`. */
function longestBlock(a: readonly string[], b: readonly string[], range: Range): MatchingBlock {
  const { fromA, toA, fromB, toB } = range;
  let best: MatchingBlock = { inA: fromA, inB: fromB, length: 0 };
  let before = Array.from({ length: b.length + 1 }, () => 0);
  for (let i = fromA; i < toA; i += 1) {
    const endingHere = Array.from({ length: b.length + 1 }, () => 0);
    for (let j = fromB; j < toB; j += 1) {
      if (a[i] !== b[j]) continue;
      const length = (before[j] ?? 0) + 1;
      endingHere[j + 1] = length;
      if (length > best.length) best = { inA: i - length + 1, inB: j - length + 1, length };
    }
    before = endingHere;
  }
  return best;
}
