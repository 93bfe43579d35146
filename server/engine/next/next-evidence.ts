import type { Event } from "@kato-rpc/shared/observation.ts";

import type { ContextTotals } from "./estimators.ts";
import type { Novelty } from "./novelty.ts";

/** Longest run of events that is looked up as a context; the beginning of the sequence counts as one of them. */
export const LONGEST_CONTEXT = 6;
/** Events at the end of what was observed that are taken for the most alike of those known, where no pattern has them. */
export const RESOLVED_EVENTS = 8;
/** Events before the present that a gap context looks for. */
export const GAP_EVENTS = 4;
/** Events before a place in a pattern among which a gap context finds them, in any order. */
export const GAP_REACH = 5;
/** Most of them that make a context of their own. */
export const MOST_SHARED = 3;

/**
 * What one context has seen, by candidate: `counts` how often each followed, weighted by the patterns' frequencies, and
 * `tables` how many of that count for the distribution.
 */
export interface ContextCounts {
  counts: Float64Array;
  tables: Float64Array;
}

/** Places in patterns where the present was found, in parallel lists; those in one pattern follow one another. */
export interface Occurrences {
  /** Items of each list that count. */
  count: number;
  /** Index of what followed, among the candidates. */
  candidates: Int32Array;
  patterns: Int32Array;
  /** Index of the event in the pattern that is the present one. */
  positions: Int32Array;
  /** The pattern's. */
  frequencies: Float64Array;
  /** Events up to the present that are the same there: 1 to `LONGEST_CONTEXT`. */
  matched: Uint8Array;
  /** Events before the present that are near there too, in whatever order: 0 to `MOST_SHARED`. */
  shared: Uint8Array;
}

export function createOccurrences(room: number): Occurrences {
  return {
    count: 0,
    candidates: new Int32Array(room),
    patterns: new Int32Array(room),
    positions: new Int32Array(room),
    frequencies: new Float64Array(room),
    matched: new Uint8Array(room),
    shared: new Uint8Array(room),
  };
}

/** A context that is one of the present's with another event before it than the present has. */
export interface Branch extends ContextTotals {
  /** Length of the present's context. */
  longerThan: number;
}

/** What followed the branches, in parallel lists with an item for each branch and candidate. In any order. */
export interface Branches {
  contexts: Branch[];
  /** Index among the contexts. */
  contextOf: Int32Array;
  candidates: Int32Array;
  counts: Float64Array;
}

/** How often each outcome is there at all: Σ of tables over the contexts of one event, all of them. */
export interface Prior {
  /** By candidate. */
  tables: Float64Array;
  /** Sum over all outcomes that the node knows, candidates or not. */
  total: number;
  /** Outcomes with one table: they were there once. */
  once: number;
}

/** All that a node's patterns say about what follows the present. Candidates come in any order. */
export interface NextEvidence {
  /** Events, and undefined where the sequence was over. Those that ever followed the present one. */
  candidateCount: number;
  outcome(candidate: number): Event | undefined;
  /** By length of the context, from 1 on; empty when the present was never seen. */
  orders: ContextCounts[];
  /** By number of shared events, from 1 on. */
  gaps: ContextCounts[];
  branches: Branches;
  occurrences: Occurrences;
  patternHash(pattern: number): string;
  /** As their hashes sort. */
  comparePatterns(a: number, b: number): number;
  prior: Prior;
  novelty: Novelty;
  /** The events that are no candidates, most tables first and by symbols where equal. */
  others(): Iterable<PriorEvent>;
  /** Tables of the end, candidate or not. */
  endTables: number;
}

export interface PriorEvent {
  event: Event;
  tables: number;
}
