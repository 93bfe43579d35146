/** Figures that depend on the whole ensemble or the node (prediction.md §8.3). P is a symbol's probability. */

/** Stands for the P of a symbol that no pattern is known to have. */
const LEAST_PROBABILITY = 1e-10;

/** `1 − distance·frequency/Φ`, Φ the sum of the ensemble's frequencies. */
export function itfdfSimilarityOf(
  distance: number,
  frequency: number,
  frequencies: number,
): number {
  return 1 - (distance * frequency) / frequencies;
}

/** `1 − cos(u, v)` of vectors by symbol; 1 when either is zero. Sums in the order of the maps, the product in that of u. */
export function cosineDistance(
  u: ReadonlyMap<string, number>,
  v: ReadonlyMap<string, number>,
): number {
  const norms = normOf(u.values()) * normOf(v.values());
  if (norms === 0) return 1;
  let product = 0;
  for (const [symbol, value] of u) product += value * (v.get(symbol) ?? 0);
  return 1 - product / norms;
}

function normOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
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
