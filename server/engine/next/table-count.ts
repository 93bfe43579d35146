const BITS = 32;
const BEYOND_BITS = 2 ** BITS;

/**
 * How many times a context that saw an outcome `count` times passes it on to the shorter context: 1 + ⌊log₂ count⌋, and
 * 0 for 0. In the Chinese restaurant picture of Teh 2006, "A hierarchical Bayesian language model based on Pitman-Yor
 * processes" §3, the customers are the count and the tables this; the expected number of tables grows with the logarithm
 * of the customers when the discount is small. Kneser and Ney 1995 pass on 1 whatever the count. Whole numbers, so that
 * sums do not depend on an order, and forgetting takes away exactly what learning added.
 */
export function tableCount(count: number): number {
  if (count >= BEYOND_BITS) return BITS + tableCount(Math.floor(count / BEYOND_BITS));
  return BITS - Math.clz32(count);
}
