import type { ContextTotals } from "./estimators.ts";
import {
  pitmanYorStep,
  pitmanYorWithoutOne,
  totalsOf,
  wittenBellWithoutOne,
} from "./estimators.ts";
import type { NextEvidence } from "./next-evidence.ts";
import { tableCount } from "./table-count.ts";

/** Sums of bits are whole numbers of this part of a bit: exact up to 2³³ bits, and so the same in any order. */
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
    const bits: LeftOut = { wittenBell: 0, pitmanYor: 0 };
    for (let candidate = 0; candidate < counts.length; candidate += 1) {
      const count = counts[candidate] ?? 0;
      if (count > 0) addBits(bits, { count, totals, below: below(shorter, count, candidate) });
    }
    shorter = tell({ counts, tables }, shorter);
    told.push(shorter);
    return bits;
  });

  const sums: (LeftOut | undefined)[] = orders.map(() => undefined);
  for (let i = 0; i < branches.counts.length; i += 1) {
    const branch = branches.contexts[branches.contextOf[i] ?? 0];
    const under = told[(branch?.longerThan ?? 0) - 1];
    if (branch === undefined || under === undefined)
      throw new RangeError(`No context of item ${i}`);
    const count = branches.counts[i] ?? 0;
    const sum = (sums[branch.longerThan - 1] ??= { wittenBell: 0, pitmanYor: 0 });
    addBits(sum, {
      count,
      totals: branch,
      below: below(under, count, branches.candidates[i] ?? 0),
    });
  }
  return { own: own.map(inBits), branches: sums.map((sum) => sum && inBits(sum)) };
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

function addBits(
  bits: LeftOut,
  { count, totals, below: under }: { count: number; totals: ContextTotals; below: number },
): void {
  bits.wittenBell += partsOf(count, wittenBellWithoutOne(count, totals, under));
  bits.pitmanYor += partsOf(count, pitmanYorWithoutOne(count, totals, under));
}

function partsOf(count: number, probability: number): number {
  return Math.round(count * Math.log2(probability) * PARTS_PER_BIT);
}

function inBits({ wittenBell, pitmanYor }: LeftOut): LeftOut {
  return { wittenBell: wittenBell / PARTS_PER_BIT, pitmanYor: pitmanYor / PARTS_PER_BIT };
}
