import type { NextEvent, NextList, NextReason } from "@kato-rpc/shared/next.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

import { WorkMeter } from "../index/work-meter.ts";
import { patternName } from "../pattern-name.ts";
import type { Blend } from "./blend.ts";
import { blend, priorProbability } from "./blend.ts";
import { compareEvents } from "./event-order.ts";
import type { NextEvidence } from "./next-evidence.ts";

/** Reasons given for an event. */
const MOST_REASONS = 3;
/** What weighing an occurrence costs, as a `WorkMeter` counts it. */
const STEPS_PER_OCCURRENCE = 32;

/** A candidate, or an event that never followed the present one. */
interface Ranked {
  event: Event;
  probability: number;
  candidate: number | undefined;
}

export function answerEmpty(empty: NonNullable<NextList["empty"]>): NextList {
  return { events: [], end: 0, other: 1, confidence: 0, empty };
}

/**
 * The distribution that the evidence comes to, with the `limit` most probable events listed. What is added up is added
 * by falling probability, so that the sums do not depend on the order in which patterns were learned.
 */
export function answerFrom(
  evidence: NextEvidence,
  limit: number,
  meter = new WorkMeter(undefined),
): NextList {
  const blended = blend(evidence);
  const { end, ranked } = rank(evidence, blended, limit);
  const reasons = reasonsFor({ evidence, blended, ranked, meter });
  const events = ranked.map(({ event, probability, candidate }): NextEvent => {
    const { support, best } = (candidate === undefined ? undefined : reasons[candidate]) ?? NONE;
    const because = best.map((each) => describe(evidence, each));
    const left = because.reduce((sum, { weight }) => sum - weight, probability);
    // As below: rounding.
    const rest = Math.max(0, left);
    return { event, probability, support, because, rest };
  });
  const listed = events.reduce((sum, { probability }) => sum + probability, 0);
  return {
    events,
    end,
    // The rounding of the sum may leave less than nothing.
    other: Math.max(0, 1 - (listed + end)),
    confidence: Math.max(end, events[0]?.probability ?? 0),
    empty: null,
  };
}

function rank(
  evidence: NextEvidence,
  { probabilities, priorShare }: Blend,
  limit: number,
): { end: number; ranked: Ranked[] } {
  const ofPrior = (tables: number): number => priorShare * priorProbability(evidence.prior, tables);
  let end = ofPrior(evidence.endTables);
  const ranked: Ranked[] = [];
  for (let candidate = 0; candidate < evidence.candidateCount; candidate += 1) {
    const event = evidence.outcome(candidate);
    const probability = probabilities[candidate] ?? 0;
    if (event === undefined) end = probability;
    else ranked.push({ event, probability, candidate });
  }
  ranked.sort(compareRanked);
  const least = ranked[limit - 1]?.probability ?? 0;
  const others: Ranked[] = [];
  for (const { event, tables } of evidence.others()) {
    const probability = ofPrior(tables);
    if (others.length === limit || probability < least) break;
    others.push({ event, probability, candidate: undefined });
  }
  return { end, ranked: [...ranked, ...others].toSorted(compareRanked).slice(0, limit) };
}

function compareRanked(a: Ranked, b: Ranked): number {
  return b.probability - a.probability || compareEvents(a.event, b.event);
}

interface Weighed {
  /** Index among the occurrences. */
  at: number;
  weight: number;
}

interface Reasons {
  support: number;
  /** The pattern that was counted last. */
  pattern: number;
  best: Weighed[];
}

const NONE: Reasons = { support: 0, pattern: -1, best: [] };

/**
 * Takes the probabilities of the candidates listed apart. An occurrence of the present counts in every context that it
 * is of, from one event up to all that match and from one shared event up to all that are shared; its weight is its
 * frequency times what one count is worth in each. The weights of all occurrences and the prior's part sum up to the
 * probability.
 */
function reasonsFor({
  evidence,
  blended,
  ranked,
  meter,
}: {
  evidence: NextEvidence;
  blended: Blend;
  ranked: readonly Ranked[];
  meter: WorkMeter;
}): (Reasons | undefined)[] {
  const reasons: (Reasons | undefined)[] = Array.from({ length: evidence.candidateCount });
  for (const { candidate } of ranked) {
    if (candidate !== undefined) reasons[candidate] = { support: 0, pattern: -1, best: [] };
  }
  const { count, candidates, patterns, frequencies } = evidence.occurrences;
  for (let at = 0; at < count; at += 1) {
    meter.spend(STEPS_PER_OCCURRENCE);
    const found = reasons[candidates[at] ?? -1];
    if (found === undefined) continue;
    const pattern = patterns[at] ?? 0;
    if (pattern !== found.pattern) found.support += frequencies[at] ?? 0;
    found.pattern = pattern;
    keepStrongest(evidence, found.best, { at, weight: weigh(evidence, blended, at) });
  }
  return reasons;
}

function weigh(
  { occurrences }: NextEvidence,
  { perCount, perGapCount }: Blend,
  at: number,
): number {
  const candidate = occurrences.candidates[at] ?? 0;
  let worth = 0;
  for (let i = 0; i < (occurrences.matched[at] ?? 0); i += 1) {
    worth += perCount[i]?.[candidate] ?? 0;
  }
  for (let i = 0; i < (occurrences.shared[at] ?? 0); i += 1) {
    worth += perGapCount[i]?.[candidate] ?? 0;
  }
  return (occurrences.frequencies[at] ?? 0) * worth;
}

/** Greatest weight first; where equal by the pattern's hash, then by position. */
function keepStrongest(evidence: NextEvidence, best: Weighed[], found: Weighed): void {
  let place = best.length;
  while (place > 0 && isStronger(evidence, found, best[place - 1] ?? found)) place -= 1;
  if (place === MOST_REASONS) return;
  best.splice(place, 0, found);
  if (best.length > MOST_REASONS) best.pop();
}

function isStronger(evidence: NextEvidence, a: Weighed, b: Weighed): boolean {
  if (a.weight !== b.weight) return a.weight > b.weight;
  const { patterns, positions } = evidence.occurrences;
  const pattern = patterns[a.at] ?? 0;
  const other = patterns[b.at] ?? 0;
  if (pattern !== other) return evidence.comparePatterns(pattern, other) < 0;
  return (positions[a.at] ?? 0) < (positions[b.at] ?? 0);
}

function describe({ occurrences, patternHash }: NextEvidence, { at, weight }: Weighed): NextReason {
  return {
    pattern: patternName(patternHash(occurrences.patterns[at] ?? 0)),
    position: occurrences.positions[at] ?? 0,
    weight,
    frequency: occurrences.frequencies[at] ?? 0,
  };
}
