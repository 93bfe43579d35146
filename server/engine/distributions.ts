/**
 * Entropies of a list of symbols (prediction.md §8.3, sessions.md §9). A list comes as the counts of its distinct
 * symbols in order of first occurrence: sums are made in that order, so that they do not depend on how a memory
 * numbers symbols. No list, no entropy: 0.
 */

/** One term of an entropy: `p · log_b p`, for 0 < p ≤ 1. `lnBase` is ln b. */
export function weightedLog(p: number, lnBase: number): number {
  return p * (Math.log(p) / lnBase);
}

/** `−Σ p·log2 p` with `p = count / total`, in bits. */
export function entropy(counts: readonly number[], total: number): number {
  return entropyInBase(counts, total, Math.LN2);
}

/** `−Σ p·log_N p` where the node knows N symbols; 0 while it knows one or none. May exceed 1 by rounding. */
export function normalizedEntropy(
  counts: readonly number[],
  total: number,
  symbolCount: number,
): number {
  return symbolCount <= 1 ? 0 : entropyInBase(counts, total, Math.log(symbolCount));
}

/** `−Σ P·log_N P` over the probabilities of the distinct symbols; those of 0 count nothing. */
export function globalNormalizedEntropy(
  probabilities: readonly number[],
  symbolCount: number,
): number {
  if (symbolCount <= 1) return 0;
  const lnBase = Math.log(symbolCount);
  let sum = 0;
  for (const p of probabilities) if (p > 0) sum -= weightedLog(p, lnBase);
  return sum;
}

function entropyInBase(counts: readonly number[], total: number, lnBase: number): number {
  let sum = 0;
  for (const count of counts) sum -= weightedLog(count / total, lnBase);
  return sum;
}
