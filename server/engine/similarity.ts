/** How alike a pattern and the state are (prediction.md §4). The order of operations is part of the result. */

/**
 * Token mode: `((2M/T)·100)/100`, with M the length of the longest common subsequence and T the symbols of pattern
 * and state together, at least 1. The detour over 100 changes the last bit of some results.
 */
export function tokenSimilarity(common: number, total: number): number {
  return (((2 * common) / total) * 100) / 100;
}

/** Token mode without the detour: for a single symbol (prediction.md §2) and the `rapidfuzz` filter. */
export function tokenRatio(common: number, total: number): number {
  return (2 * common) / total;
}

/**
 * Character mode: `((1 − d/m)·100)/100` with m the code points of both texts and d = m − 2L, L the length of their
 * longest common subsequence. Two empty texts are equal: 1.
 */
export function characterSimilarity(common: number, total: number): number {
  return total === 0 ? 1 : ((1 - (total - 2 * common) / total) * 100) / 100;
}

/** Similarity of two symbols in percent, as fuzzy matching takes it (prediction.md §5.5). */
export function symbolRatioPercent(a: string, b: string): number {
  const [pointsA, pointsB] = [Array.from(a), Array.from(b)];
  const total = pointsA.length + pointsB.length;
  if (total === 0) return 100;
  return (1 - (total - 2 * commonSubsequenceLength(pointsA, pointsB)) / total) * 100;
}

/** A list of symbols as one text in character mode, in code points. */
export function joinedCodePoints(symbols: readonly string[]): string[] {
  return Array.from(symbols.join(" "));
}

/**
 * Length of the longest common subsequence. O(n·m) time, O(m) memory; 0 when either is empty. Wagner and Fischer
 * 1974, one row kept.
 */
export function commonSubsequenceLength(a: readonly string[], b: readonly string[]): number {
  const row = Array.from({ length: b.length + 1 }, () => 0);
  for (const item of a) {
    let diagonal = 0;
    for (const [index, other] of b.entries()) {
      const above = row[index + 1] ?? 0;
      row[index + 1] = item === other ? diagonal + 1 : Math.max(above, row[index] ?? 0);
      diagonal = above;
    }
  }
  return row[b.length] ?? 0;
}
