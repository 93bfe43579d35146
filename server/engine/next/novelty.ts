/** What events that were never learned must count for, by nearness, to take half of the distribution. */
const STRENGTH = 4;
/** What an event counts for against the one after it. */
const FADING = 0.5;
/** Part of the rate of distinct events at which new ones are always held possible. */
const LEAST_PART = 1 / 16;

/** What is known of how often events come that were never learned. */
export interface Novelty {
  /** Distinct events that patterns have. */
  known: number;
  /** Outcomes that were learned, each as often as it was. */
  seen: number;
  /** Of the events at the end of what was observed, the newest last: whether no pattern has it, nor one like it. */
  unknown: readonly boolean[];
}

/**
 * The share of the distribution that contexts and prior tell; the rest is left to events that were never learned, beside
 * what the prior leaves to them:
 *
 *     S / (S + u) · (1 − D / (N + D) / 16)       u = Σ ½^age over the unknown events, S = `STRENGTH`
 *
 * A session that has met something new will sooner meet more of it, which no pattern can tell. Neither can they tell what
 * has changed since they were learned: hence a part of the rate of Witten and Bell 1991, method C, for D distinct events
 * among N outcomes, so small that it costs next to nothing where nothing new comes.
 */
export function learnedShare({ known, seen, unknown }: Novelty): number {
  let met = 0;
  for (const isUnknown of unknown) met = met * FADING + Number(isUnknown);
  return (STRENGTH / (STRENGTH + met)) * (1 - (LEAST_PART * known) / (seen + known));
}
