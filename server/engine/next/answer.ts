import type { NextEvent, NextList, NextReason } from "@kato-rpc/shared/next.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

import { patternName } from "../pattern-name.ts";
import type { Blend } from "./blend.ts";
import { blend, priorProbability } from "./blend.ts";
import { compareEvents } from "./event-order.ts";
import type { NextEvidence, Occurrence } from "./next-evidence.ts";

/** Reasons given for an event. */
const MOST_REASONS = 3;

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
export function answerFrom(evidence: NextEvidence, limit: number): NextList {
  const blended = blend(evidence);
  const { end, ranked } = rank(evidence, blended, limit);
  const reasons = new Reasons(evidence, blended);
  const events = ranked.map(({ event, probability, candidate }): NextEvent => {
    if (candidate === undefined) {
      return { event, probability, support: 0, because: [], rest: probability };
    }
    return { event, probability, ...reasons.of(candidate, probability) };
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
  for (const { event, tables } of evidence.others(limit)) {
    ranked.push({ event, probability: ofPrior(tables), candidate: undefined });
  }
  ranked.sort((a, b) => b.probability - a.probability || compareEvents(a.event, b.event));
  return { end, ranked: ranked.slice(0, limit) };
}

/**
 * Takes candidates' probabilities apart. An occurrence of the present counts in every context that it is of, from one
 * event up to all that match and from one shared event up to all that are shared; its weight is its frequency times
 * what one count is worth in each. The weights of all occurrences and the prior's part sum up to the probability.
 */
class Reasons {
  readonly #evidence: NextEvidence;
  readonly #blend: Blend;
  readonly #byCandidate: Occurrence[][];

  constructor(evidence: NextEvidence, blended: Blend) {
    this.#evidence = evidence;
    this.#blend = blended;
    this.#byCandidate = Array.from({ length: evidence.candidateCount }, () => []);
    for (const each of evidence.occurrences) this.#byCandidate[each.candidate]?.push(each);
  }

  of(candidate: number, probability: number): Pick<NextEvent, "support" | "because" | "rest"> {
    const occurrences = this.#byCandidate[candidate] ?? [];
    const patterns = new Map(occurrences.map(({ pattern, frequency }) => [pattern, frequency]));
    let support = 0;
    for (const frequency of patterns.values()) support += frequency;

    const because = this.#strongest(occurrences);
    const rest = because.reduce((left, { weight }) => left - weight, probability);
    return { support, because, rest };
  }

  #strongest(occurrences: readonly Occurrence[]): NextReason[] {
    const best: NextReason[] = [];
    for (const each of occurrences) {
      const weight = this.#weight(each);
      if (best.length === MOST_REASONS && weight < (best.at(-1)?.weight ?? 0)) continue;
      const { frequency, position } = each;
      const pattern = patternName(this.#evidence.patternHash(each.pattern));
      best.push({ pattern, position, weight, frequency });
      best.sort(compareReasons);
      best.length = Math.min(best.length, MOST_REASONS);
    }
    return best;
  }

  #weight({ candidate, frequency, matched, shared }: Occurrence): number {
    const { perCount, perGapCount } = this.#blend;
    let worth = 0;
    for (let i = 0; i < matched; i += 1) worth += perCount[i]?.[candidate] ?? 0;
    for (let i = 0; i < shared; i += 1) worth += perGapCount[i]?.[candidate] ?? 0;
    return frequency * worth;
  }
}

function compareReasons(a: NextReason, b: NextReason): number {
  if (a.weight !== b.weight) return b.weight - a.weight;
  if (a.pattern !== b.pattern) return a.pattern < b.pattern ? -1 : 1;
  return a.position - b.position;
}
