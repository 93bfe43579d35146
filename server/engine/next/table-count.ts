const BITS = 32;
const BEYOND_BITS = 2 ** BITS;

/**
 * How many times a context that saw an outcome `count` times passes it on to the shorter context: 1 + ⌊log₂ count⌋, and
 * 0 for 0. In the picture of Teh 2006, "A hierarchical Bayesian language model based on Pitman-Yor processes" §4, the
 * count are the customers of a restaurant and this its tables, which are as many as the logarithm of the customers where
 * the discount is 0; interpolated Kneser-Ney, an approximation of that model, has one table whatever the count. The
 * logarithm was chosen by measurement. Whole numbers, so that sums do not depend on an order, and forgetting takes away exactly what learning added.
 */
export function tableCount(count: number): number {
  if (count >= BEYOND_BITS) return BITS + tableCount(Math.floor(count / BEYOND_BITS));
  return BITS - Math.clz32(count);
}
