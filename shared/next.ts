import type { Event } from "./observation.ts";

/** A place in a learned pattern that speaks for an event. */
export type NextReason = {
  /** The pattern's name. */
  pattern: string;
  /** Index of the event in the pattern that is the present one, or is taken for it: the last that the node knows. */
  position: number;
  /** Its part of the event's probability. */
  weight: number;
  /** How often the pattern was learned. */
  frequency: number;
};

/** What may come, and why. */
export type NextEvent = {
  event: Event;
  probability: number;
  /** Learned sequences, each counted as often as it was learned, in which the event followed the present one. */
  support: number;
  /** The strongest evidence, greatest weight first. */
  because: NextReason[];
  /** The part of `probability` that `because` does not list: what its weights leave of it, 0 or more. */
  rest: number;
};

/**
 * Why nothing is predicted. `NO_SYMBOLS`: short-term memory is empty. `NO_PATTERNS`: the node has none.
 */
export type NoNextReason = "NO_SYMBOLS" | "NO_PATTERNS";

/** The distribution of one event to come. `events`, `end` and `other` sum up to 1 but for rounding. */
export type NextList = {
  /** Highest probability first; equal ones by their symbols. */
  events: NextEvent[];
  /** Probability that the sequence is over before that event. */
  end: number;
  /** What `events` and `end` leave of 1, 0 or more: everything that is not listed, events that were never learned among it. */
  other: number;
  /** Probability of the best answer: of the first event, or the end where that is more probable. 0 without any. */
  confidence: number;
  /** null when there is a prediction; else `other` is 1. */
  empty: NoNextReason | null;
};
