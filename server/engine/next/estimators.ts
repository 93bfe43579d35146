import { tableCount } from "./table-count.ts";

/** What every table gives away to the shorter context. */
export const DISCOUNT = 0.8;
/** Observations that the shorter context counts for in a longer one. */
export const STRENGTH = 1;

/** Sums over the outcomes of one context. */
export interface ContextTotals {
  /** Σ n. */
  total: number;
  /** Outcomes with n > 0. */
  distinct: number;
  /** Σ `tableCount` n. */
  tables: number;
}

export function totalsOf(counts: Float64Array): ContextTotals {
  const totals: ContextTotals = { total: 0, distinct: 0, tables: 0 };
  for (const count of counts) {
    totals.total += count;
    totals.distinct += Number(count > 0);
    totals.tables += tableCount(count);
  }
  return totals;
}

/** What a context tells of each outcome beside what it leaves to the shorter one: p(x) = added(x) + kept · p_shorter(x). */
export interface Step {
  added: Float64Array;
  kept: number;
}

/**
 * `added` = (n − d·t(n)) / (N + θ) and `kept` = (θ + d·T) / (N + θ), with t(n) = `tableCount` n and T their sum: the
 * predictive rule of a hierarchical Pitman-Yor process, Teh 2006 §4.
 */
export function pitmanYorStep(counts: Float64Array, strength = STRENGTH): Step {
  const { total, tables } = totalsOf(counts);
  const added = counts.map((count) => (count - DISCOUNT * tableCount(count)) / (total + strength));
  return { added, kept: (strength + DISCOUNT * tables) / (total + strength) };
}

/**
 * `added` = n / (N + D) and `kept` = D / (N + D), with D distinct outcomes: method C of Witten and Bell 1991, "The
 * zero-frequency problem", interpolated as in Chen and Goodman 1998, TR-10-98 §2.5.
 */
export function wittenBellStep(counts: Float64Array): Step {
  const { total, distinct } = totalsOf(counts);
  return {
    added: counts.map((each) => each / (total + distinct)),
    kept: distinct / (total + distinct),
  };
}

/** `pitmanYorStep` for an outcome, had one of its `count` ≥ 1 never been. */
export function pitmanYorWithoutOne(
  count: number,
  { total, tables }: ContextTotals,
  shorter: number,
): number {
  const left = tableCount(count - 1);
  const passedOn = tables - tableCount(count) + left;
  const own = count - 1 - DISCOUNT * left;
  return (own + (STRENGTH + DISCOUNT * passedOn) * shorter) / (total - 1 + STRENGTH);
}

/** `wittenBellStep` for an outcome, had one of its `count` ≥ 1 never been. */
export function wittenBellWithoutOne(
  count: number,
  { total, distinct }: ContextTotals,
  shorter: number,
): number {
  if (total === 1) return shorter;
  const others = count === 1 ? distinct - 1 : distinct;
  return (count - 1 + others * shorter) / (total - 1 + others);
}
