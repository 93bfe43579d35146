import type { ContextTotals } from "./estimators.ts";
import {
  pitmanYorStep,
  pitmanYorWithoutOne,
  totalsOf,
  wittenBellWithoutOne,
} from "./estimators.ts";
import type { NextEvidence } from "./next-evidence.ts";
import { tableCount } from "./table-count.ts";

/** Fractions of a bit are rounded to this part of it. */
const PARTS_PER_BIT = 2 ** 20;

/** log₂ of the probability of all that contexts saw, each one left out in turn, for each way to tell from their counts. */
export interface LeftOut {
  wittenBell: number;
  pitmanYor: number;
}

export interface LeftOutAlong {
  /** By length of the present's contexts, from 1 on: what the context saw. */
  own: LeftOut[];
  /** What all its branches saw; undefined where it has none. */
  branches: (LeftOut | undefined)[];
}

/** Probabilities by candidate, and what they were with one table less of the candidate. */
interface Told {
  asIs: Float64Array;
  lessOne: Float64Array;
}

/** Each context is told upon the chain of shorter ones, gap contexts left aside; before the first stands `base`. */
export function leaveOneOut({ orders, branches }: NextEvidence, base: Float64Array): LeftOutAlong {
  let shorter: Told = { asIs: base, lessOne: base };
  const told: Told[] = [];
  const own = orders.map(({ counts, tables }): LeftOut => {
    const totals = totalsOf(counts);
    const bits = new LeftOutSum();
    for (let candidate = 0; candidate < counts.length; candidate += 1) {
      const count = counts[candidate] ?? 0;
      if (count > 0) bits.add(count, totals, below(shorter, count, candidate));
    }
    shorter = tell({ counts, tables }, shorter);
    told.push(shorter);
    return bits.leftOut();
  });

  const sums: (LeftOutSum | undefined)[] = orders.map(() => undefined);
  for (let i = 0; i < branches.counts.length; i += 1) {
    const branch = branches.contexts[branches.contextOf[i] ?? 0];
    const under = told[(branch?.longerThan ?? 0) - 1];
    if (branch === undefined || under === undefined)
      throw new RangeError(`No context of item ${i}`);
    const count = branches.counts[i] ?? 0;
    const sum = (sums[branch.longerThan - 1] ??= new LeftOutSum());
    sum.add(count, branch, below(under, count, branches.candidates[i] ?? 0));
  }
  return { own, branches: sums.map((sum) => sum?.leftOut()) };
}

/** The chain, one context further. */
function tell(
  { counts, tables }: { counts: Float64Array; tables: Float64Array },
  shorter: Told,
): Told {
  const { added, kept } = pitmanYorStep(tables);
  const totals = totalsOf(tables);
  const asIs = new Float64Array(counts.length);
  const lessOne = new Float64Array(counts.length);
  for (let candidate = 0; candidate < counts.length; candidate += 1) {
    const seen = tables[candidate] ?? 0;
    if (seen === 0) continue;
    const under = below(shorter, counts[candidate] ?? 0, candidate);
    asIs[candidate] = (added[candidate] ?? 0) + kept * under;
    lessOne[candidate] = pitmanYorWithoutOne(seen, totals, under);
  }
  return { asIs, lessOne };
}

/** One of a count is a table of the shorter context where the count is a power of two. */
function below({ asIs, lessOne }: Told, count: number, candidate: number): number {
  const isTable = tableCount(count) > tableCount(count - 1);
  return (isTable ? lessOne : asIs)[candidate] ?? 0;
}

class LeftOutSum {
  readonly #wittenBell = new BitSum();
  readonly #pitmanYor = new BitSum();

  /** One outcome of a context, which was seen `count` times there and is as probable as `under` in the shorter one. */
  add(count: number, totals: ContextTotals, under: number): void {
    this.#wittenBell.add(count * Math.log2(wittenBellWithoutOne(count, totals, under)));
    this.#pitmanYor.add(count * Math.log2(pitmanYorWithoutOne(count, totals, under)));
  }

  leftOut(): LeftOut {
    return { wittenBell: this.#wittenBell.bits, pitmanYor: this.#pitmanYor.bits };
  }
}

/**
 * The same in whatever order bits are added, as long as their sum is below 2⁵³: whole ones are exact until then, and parts of
 * them are kept apart. With the greatest frequency that `node.correct` sets, 10¹², and 40 bits for each that is some 200
 * patterns; with frequencies of a million, 200 million.
 */
class BitSum {
  #whole = 0;
  #parts = 0;

  get bits(): number {
    return this.#whole + this.#parts / PARTS_PER_BIT;
  }

  add(bits: number): void {
    const whole = Math.floor(bits);
    this.#whole += whole;
    this.#parts += Math.round((bits - whole) * PARTS_PER_BIT);
  }
}
