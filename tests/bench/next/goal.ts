import type { Tally } from "@kato-rpc/server/cli/evaluate/score.ts";

/** How one method does beside others on one source. */
export interface Goal {
  /** Bits of log loss more than the best of the others: ahead where negative. */
  bits: number;
  /** The one with the least log loss. */
  rival: string;
  /** Points of accuracy at 1 more than the best of the others. */
  points: number;
  /** Standard error of `points`, from the differences answer by answer. */
  pointsError: number;
  accurateRival: string;
  calibrationError: number;
}

/** Against the best of all others by hindsight, one for log loss and one for accuracy. All scored the same answers. */
export function compareTallies(tally: Tally, others: Readonly<Record<string, Tally>>): Goal {
  const score = tally.score();
  const rivals = Object.entries(others).map(([name, other]) => ({
    name,
    right: other.right,
    ...other.score(),
  }));
  const [sure] = rivals.toSorted((a, b) => a.logLossBits - b.logLossBits);
  const [accurate] = rivals.toSorted((a, b) => b.accuracy.at1 - a.accuracy.at1);
  if (sure === undefined || accurate === undefined) throw new Error("There are no others");
  const mean = score.accuracy.at1 - accurate.accuracy.at1;
  const squares = tally.right.reduce(
    (sum, each, i) => sum + (each - (accurate.right[i] ?? 0) - mean) ** 2,
    0,
  );
  return {
    bits: score.logLossBits - sure.logLossBits,
    rival: sure.name,
    points: 100 * mean,
    pointsError: (100 * Math.sqrt(squares)) / score.answers,
    accurateRival: accurate.name,
    calibrationError: score.calibrationError,
  };
}
