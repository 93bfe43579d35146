import type { Difference } from "@kato-rpc/server/cli/evaluate/difference.ts";
import { differenceOf } from "@kato-rpc/server/cli/evaluate/difference.ts";
import type { Tally } from "@kato-rpc/server/cli/evaluate/score.ts";

/** How one method does beside others on one source. */
export interface Goal {
  /** Of log loss more than the best of the others: ahead where negative. */
  bits: Difference;
  /** The one with the least log loss. */
  rival: string;
  /** Points of accuracy at 1 more than the best of the others. */
  points: Difference;
  accurateRival: string;
  calibrationError: number;
}

/**
 * Against the best of all others by hindsight, one for log loss and one for accuracy. All scored the same answers, of
 * these cases.
 */
export function compareTallies(
  tally: Tally,
  others: Readonly<Record<string, Tally>>,
  cases: readonly number[],
): Goal {
  const rivals = Object.entries(others).map(([name, other]) => ({ name, other, ...other.score() }));
  const [sure] = rivals.toSorted((a, b) => a.logLossBits - b.logLossBits);
  const [accurate] = rivals.toSorted((a, b) => b.accuracy.at1 - a.accuracy.at1);
  if (sure === undefined || accurate === undefined) throw new Error("There are no others");
  const { mean, error } = differenceOf(tally.right, accurate.other.right, cases);
  return {
    bits: differenceOf(tally.bits, sure.other.bits, cases),
    rival: sure.name,
    points: { mean: 100 * mean, error: 100 * error },
    accurateRival: accurate.name,
    calibrationError: tally.score().calibrationError,
  };
}
