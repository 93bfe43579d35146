/** Figures that depend on the whole ensemble or the node (prediction.md §8.3). P is a symbol's probability. */

/** Stands for the P of a symbol that no pattern is known to have. */
export const LEAST_PROBABILITY = 1e-10;

/** `1 − distance·frequency/Φ`, Φ the sum of the ensemble's frequencies. */
export function itfdfSimilarityOf(
  distance: number,
  frequency: number,
  frequencies: number,
): number {
  return 1 - (distance * frequency) / frequencies;
}

/** `1 − cos(u, v)` from the scalar product and the sums of squares of u and v; 1 when either is zero. */
export function cosineDistance(product: number, squaresU: number, squaresV: number): number {
  const norms = Math.sqrt(squaresU) * Math.sqrt(squaresV);
  return norms === 0 ? 1 : 1 - product / norms;
}

/**
 * `share·(1 − Π P)` over the symbols of `present` with repeats, `share` being frequency/G; 0 for no symbols. The
 * specification adds logarithms, which is the same product.
 */
export function confluenceOf(probabilities: readonly number[], share: number): number {
  if (probabilities.length === 0) return 0;
  let product = 1;
  for (const p of probabilities) product *= p > 0 ? p : LEAST_PROBABILITY;
  return share * (1 - product);
}

/** k, the patterns with a symbol as tf-idf counts them: `trunc(P·U)` in doubles, at least 1; 1 where P is undefined. */
export function patternsWithSymbol(probability: number | undefined, patterns: number): number {
  return Math.trunc((probability ?? 0) * patterns) || 1;
}

/** `log2(U/k) + 1` */
export function symbolWeight(patternsWithIt: number, patterns: number): number {
  return Math.log2(patterns / patternsWithIt) + 1;
}
