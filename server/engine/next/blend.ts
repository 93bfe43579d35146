import type { Step } from "./estimators.ts";
import { pitmanYorStep, wittenBellStep } from "./estimators.ts";
import type { NextEvidence, Prior } from "./next-evidence.ts";
import { learnedShare } from "./novelty.ts";
import type { StopWeight } from "./stop-weights.ts";
import { weighStops } from "./stop-weights.ts";

/** Observations that the shorter context counts for in a context of gaps. */
const GAP_STRENGTH = 4;

/** One context in the chain, and by what is told from its counts where the present's contexts stop. */
interface Link {
  counts: Float64Array;
  step: Step;
  /** Times the share of those that stop. */
  stop: Step | undefined;
}

/** A distribution over the candidates, taken apart. */
export interface Blend {
  /** Candidates' probabilities. */
  probabilities: Float64Array;
  /** Share of the prior in the distribution: without any context, all but what `learnedShare` leaves. */
  priorShare: number;
  /** By length of the context, from 1 on, and by candidate: its part of the probability for each time it was seen. */
  perCount: Float64Array[];
  /** The same by number of shared events. */
  perGapCount: Float64Array[];
}

/**
 * The distribution over the candidates: variable-order contexts in a chain, each interpolated with the shorter one,
 *
 *     p_c(x) = added_c(x) + kept_c · p_shorter(x)
 *
 *     prior → 1 event → 1, 2, 3 shared events with gaps → 2 events → … → longest context
 *
 * told by `pitmanYorStep` from the tables of the longer contexts, which are what a longer context passes on (Teh 2006 §4;
 * Kneser and Ney 1995, Chen and Goodman 1998, TR-10-98 §2.7), averaged with distributions that stop at each length and are
 * told from that context's own counts, by `pitmanYorStep` and by `wittenBellStep`, upon the chain of the shorter ones.
 * `weighStops` says how much each counts, and `learnedShare` how much of the distribution all of that is.
 */
export function blend(evidence: NextEvidence): Blend {
  const { candidateCount, prior } = evidence;
  const base = Float64Array.from({ length: candidateCount }, (_, i) =>
    priorProbability(prior, prior.tables[i] ?? 0),
  );
  const { links, whole } = chain(evidence, base);
  const probabilities = new Float64Array(candidateCount);
  const parts: Float64Array[] = [];
  let share = whole;
  for (const { counts, step, stop } of links.toReversed()) {
    const part = new Float64Array(candidateCount);
    for (let x = 0; x < candidateCount; x += 1) {
      const count = counts[x] ?? 0;
      if (count === 0) continue;
      const mass = share * (step.added[x] ?? 0) + (stop?.added[x] ?? 0);
      probabilities[x] = (probabilities[x] ?? 0) + mass;
      part[x] = mass / count;
    }
    parts.unshift(part);
    share = share * step.kept + (stop?.kept ?? 0);
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

/**
 * The probability of an outcome with so many tables where nothing is known of the present: its part of them, less what is kept
 * for events that were never learned. Those are as probable as outcomes that were there once are often: Good 1953, "The
 * population frequencies of species and the estimation of population parameters", and half of one more.
 */
export function priorProbability({ total, once }: Prior, tables: number): number {
  const unseen = (once + 0.5) / (total + 1);
  return ((1 - unseen) * tables) / total;
}

function chain(evidence: NextEvidence, base: Float64Array): { links: Link[]; whole: number } {
  const { stops, whole } = weighStops(evidence, base);
  const learned = learnedShare(evidence.novelty);
  const links: Link[] = [];
  for (const [i, { counts, tables }] of evidence.orders.entries()) {
    links.push({ counts, step: pitmanYorStep(tables), stop: stopStep(counts, stops[i], learned) });
    if (i > 0) continue;
    for (const gap of evidence.gaps) {
      links.push({
        counts: gap.counts,
        step: pitmanYorStep(gap.tables, GAP_STRENGTH),
        stop: undefined,
      });
    }
  }
  return { links, whole: learned * whole };
}

function stopStep(
  counts: Float64Array,
  weights: StopWeight | undefined,
  share: number,
): Step | undefined {
  if (weights === undefined) return undefined;
  const [wittenBell, pitmanYor] = [share * weights.wittenBell, share * weights.pitmanYor];
  const [one, other] = [wittenBellStep(counts), pitmanYorStep(counts)];
  return {
    added: one.added.map((added, x) => wittenBell * added + pitmanYor * (other.added[x] ?? 0)),
    kept: wittenBell * one.kept + pitmanYor * other.kept,
  };
}
