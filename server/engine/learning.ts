import type { Emotives, Event, Metadata } from "@kato-rpc/shared/observation.ts";

import { averageEmotives } from "./emotives.ts";
import type { IndexedVectors, LearnedPattern, NamedVector } from "./node-change.ts";
import { patternHash } from "./pattern-name.ts";
import { mergeMetadata } from "./pattern-metadata.ts";

const LEAST_SYMBOLS = 2;

/** What a session brings to a learn. */
export interface Learning {
  /** Short-term memory; not empty, and no event in it is. */
  events: readonly Event[];
  /** The session's whole accumulators; none when learning automatically (engine.md §9.3). */
  emotives: readonly Emotives[];
  metadata: readonly Metadata[];
  persistence: number;
  /** Vectors observed and not yet indexed. */
  vectors: readonly NamedVector[];
}

export type LearnOutcome =
  | { learned: LearnedPattern; reason: null }
  | { learned: null; reason: "TOO_FEW_SYMBOLS"; vectors: IndexedVectors | null };

/**
 * What a learn does, as a value (engine.md §6 and §7). One symbol alone makes no pattern; the session's short-term
 * memory becomes empty all the same, and waiting vectors are indexed.
 */
export function learnPattern(learning: Learning): LearnOutcome {
  const { events, emotives, metadata, persistence } = learning;
  const symbols = events.flat();
  const vectors = [...learning.vectors];
  if (symbols.length < LEAST_SYMBOLS) {
    const indexed = vectors.length === 0 ? null : { kind: "index-vectors" as const, vectors };
    return { learned: null, reason: "TOO_FEW_SYMBOLS", vectors: indexed };
  }
  const learned: LearnedPattern = {
    kind: "learn",
    hash: patternHash(events),
    events: events.map((event) => [...event]),
    length: symbols.length,
    occurrences: countOccurrences(symbols),
    emotives: emotives.slice(-persistence),
    persistence,
    affinity: emotives.length === 0 ? null : averageEmotives(emotives),
    metadata: mergeMetadata(metadata),
    vectors,
  };
  return { learned, reason: null };
}

/** Each distinct symbol with its count, in order of first occurrence. */
export function countOccurrences<T>(symbols: readonly T[]): [symbol: T, count: number][] {
  const counts = new Map<T, number>();
  for (const symbol of symbols) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  return [...counts];
}

/** The emotives a pattern keeps after a relearn: untouched unless the learn brings emotives or metadata. */
export function mergeEmotives(stored: readonly Emotives[], learned: LearnedPattern): Emotives[] {
  const isBare = learned.emotives.length === 0 && Object.keys(learned.metadata).length === 0;
  return isBare ? [...stored] : [...stored, ...learned.emotives].slice(-learned.persistence);
}

/**
 * A symbol's affinity after a learn: per emotive the running sum of averages (engine.md §8), in doubles, added in
 * the order of the node's log. The reference adds decimals of 17 digits and so reads 0.3 where this has
 * 0.30000000000000004; what counts here is that every store and every worker computes the same bits, and all of
 * them have doubles. A sum beyond their range stays at its end.
 */
export function addAffinity(stored: Emotives, average: Emotives): Emotives {
  const sums: Emotives = Object.assign(Object.create(null), stored);
  for (const [emotive, value] of Object.entries(average)) {
    const sum = (sums[emotive] ?? 0) + value;
    sums[emotive] = Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum));
  }
  return sums;
}
