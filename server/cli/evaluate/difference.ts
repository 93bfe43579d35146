import { LEAST_CONTEXT } from "./score.ts";
import type { Split } from "./splits.ts";

/** How two methods differ on the same answers. */
export interface Difference {
  mean: number;
  /** Standard error of the mean, were other cases asked of the same memory; NaN where all answers are of one case. */
  error: number;
}

/** By answer, in the order in which a `Tally` has them: the number of the case that it is of. */
export function casesOfAnswers(splits: readonly Split<{ length: number }>[]): number[] {
  const cases: number[] = [];
  let number = 0;
  for (const { length } of splits.flatMap(({ test }) => test)) {
    for (let at = LEAST_CONTEXT; at <= length; at += 1) cases.push(number);
    number += 1;
  }
  return cases;
}

/**
 * One method's figures less another's, by answer. Answers of one case depend on each other, so that the error is that of
 * sums over cases: Liang and Zeger 1986, "Longitudinal data analysis using generalized linear models", times √(G / (G − 1))
 * for G cases.
 */
export function differenceOf(
  one: readonly number[],
  other: readonly number[],
  cases: readonly number[],
): Difference {
  const answers = one.length;
  const differences = one.map((each, i) => each - (other[i] ?? 0));
  const mean = differences.reduce((sum, each) => sum + each, 0) / answers;
  const sums = new Map<number, number>();
  for (const [i, each] of differences.entries()) {
    const number = cases[i] ?? 0;
    sums.set(number, (sums.get(number) ?? 0) + each - mean);
  }
  const squares = [...sums.values()].reduce((sum, each) => sum + each * each, 0);
  const error = Math.sqrt((squares * sums.size) / (sums.size - 1)) / answers;
  return { mean, error: sums.size > 1 ? error : Number.NaN };
}
