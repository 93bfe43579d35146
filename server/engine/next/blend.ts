import type { ContextCounts, NextEvidence, Prior } from "./next-evidence.ts";
import { tableCount } from "./table-count.ts";

/** What every table gives away to the shorter context. */
const DISCOUNT = 0.8;
/** Observations that the shorter context counts for in a longer one. */
const STRENGTH = 1;
/** The same where the longer context is one of gaps. */
const GAP_STRENGTH = 4;
/** How much more the blend of all contexts counts than one that stops at a length. */
const WHOLE_BLEND = 4;
/** Contexts that a blend may stop at have this length at least. */
const SHORTEST_STOP = 2;

/** By candidate its share of a context's distribution, and what is left to the shorter context. */
interface Step {
  added: Float64Array;
  kept: number;
}

/** One context in the chain: as part of the blend, and as one where it stops. */
interface Link {
  counts: Float64Array;
  step: Step;
  stop: (Step & { confidence: number }) | undefined;
}

/** A distribution over the candidates, taken apart. */
export interface Blend {
  /** Candidates' probabilities. */
  probabilities: Float64Array;
  /** Share of the prior in the distribution: 1 without any context. */
  priorShare: number;
  /** By length of the context, from 1 on, and by candidate: its part of the probability for each time it was seen. */
  perCount: Float64Array[];
  /** The same by number of shared events. */
  perGapCount: Float64Array[];
}

/**
 * The distribution over the candidates: interpolated variable-order contexts. Each context c gives, with counts n(x) of
 * which t(x) are passed on,
 *
 *     p_c(x) = (n(x) − d·t(x)) / (N + θ) + (θ + d·T) / (N + θ) · p_shorter(x)          (N = Σ n, T = Σ t)
 *
 * which is the predictive rule of a hierarchical Pitman–Yor process (Teh 2006 §4), in the chain
 *
 *     uniform → prior → 1 event → 1, 2, 3 shared events with gaps → 2 events → … → longest context
 *
 * where a context that is not the longest counts the tables of the longer ones (Kneser and Ney 1995; Chen and Goodman
 * 1998, TR-10-98 §2.7), t by `tableCount`. Contexts of no less than two events that are not the longest also give each a
 * distribution from their own counts, which is the better one where longer contexts say nothing new. All are averaged,
 * weighted by the square of their confidence, as confident orders are preferred in Bloom 1998, "Solving the problems
 * of context modeling"; the whole chain counts `WHOLE_BLEND` times.
 */
export function blend(evidence: NextEvidence): Blend {
  const { candidateCount, prior } = evidence;
  const base = Float64Array.from({ length: candidateCount }, (_, i) =>
    priorProbability(prior, prior.tables[i] ?? 0),
  );
  const { links, confidence } = chain(evidence, base);
  const weights = links.map(({ stop }) => (stop === undefined ? 0 : stop.confidence ** 2));
  const whole = WHOLE_BLEND * confidence ** 2;
  const total = weights.reduce((sum, weight) => sum + weight, whole);

  const probabilities = new Float64Array(candidateCount);
  const parts: Float64Array[] = [];
  let share = links.length === 0 ? 1 : whole / total;
  for (let i = links.length - 1; i >= 0; i -= 1) {
    const { step, stop, counts } = links[i] ?? never();
    const stopShare = (weights[i] ?? 0) / total;
    const part = new Float64Array(candidateCount);
    for (let x = 0; x < candidateCount; x += 1) {
      const count = counts[x] ?? 0;
      if (count === 0) continue;
      const mass = share * (step.added[x] ?? 0) + stopShare * (stop?.added[x] ?? 0);
      probabilities[x] = (probabilities[x] ?? 0) + mass;
      part[x] = mass / count;
    }
    parts.unshift(part);
    share = share * step.kept + stopShare * (stop?.kept ?? 0);
  }
  for (let x = 0; x < candidateCount; x += 1) {
    probabilities[x] = (probabilities[x] ?? 0) + share * (base[x] ?? 0);
  }
  const gaps = evidence.gaps.length;
  return {
    probabilities,
    priorShare: share,
    perCount: [...parts.slice(0, 1), ...parts.slice(1 + gaps)],
    perGapCount: parts.slice(1, 1 + gaps),
  };
}

/** The probability of an outcome with so many tables where nothing is known of the present. */
export function priorProbability({ total, passedOn, events }: Prior, tables: number): number {
  // Known events, the end, and one for all that was never seen.
  const uniform = 1 / (events + 2);
  const left = (STRENGTH + DISCOUNT * passedOn) * uniform;
  return (tables - DISCOUNT * tableCount(tables) + left) / (total + STRENGTH);
}

function chain(
  { orders, gaps, candidateCount }: NextEvidence,
  base: Float64Array,
): { links: Link[]; confidence: number } {
  const links: Link[] = [];
  const current = base.slice();
  orders.forEach((order, index) => {
    const length = index + 1;
    const stops = length >= SHORTEST_STOP && length < orders.length;
    const stop = stops ? stepOf(order.counts, candidateCount, STRENGTH) : undefined;
    const confidence = stop === undefined ? 0 : highest(current, stop);
    const step = stepOf(order.tables, candidateCount, STRENGTH);
    links.push({ counts: order.counts, step, stop: stop && { ...stop, confidence } });
    advance(current, step);
    if (length > 1) return;
    for (const gap of gaps) links.push(gapLink(gap, current));
  });
  return { links, confidence: current.reduce((most, each) => Math.max(most, each), 0) };
}

function gapLink({ counts, tables }: ContextCounts, current: Float64Array): Link {
  const step = stepOf(tables, current.length, GAP_STRENGTH);
  advance(current, step);
  return { counts, step, stop: undefined };
}

function stepOf(seen: Float64Array, candidateCount: number, strength: number): Step {
  const added = new Float64Array(candidateCount);
  let total = 0;
  let passedOn = 0;
  for (const count of seen) {
    total += count;
    passedOn += tableCount(count);
  }
  for (let x = 0; x < candidateCount; x += 1) {
    const count = seen[x] ?? 0;
    if (count > 0) added[x] = (count - DISCOUNT * tableCount(count)) / (total + strength);
  }
  return { added, kept: (strength + DISCOUNT * passedOn) / (total + strength) };
}

function advance(current: Float64Array, { added, kept }: Step): void {
  for (let x = 0; x < current.length; x += 1) {
    current[x] = (added[x] ?? 0) + kept * (current[x] ?? 0);
  }
}

function highest(current: Float64Array, { added, kept }: Step): number {
  let most = 0;
  for (let x = 0; x < current.length; x += 1) {
    most = Math.max(most, (added[x] ?? 0) + kept * (current[x] ?? 0));
  }
  return most;
}

function never(): never {
  throw new RangeError("A link of the chain is missing");
}
