import type { Emotives, Event } from "@kato-rpc/shared/observation.ts";

import type { PatternMetadata } from "./pattern-metadata.ts";

/** A vector as observed (the sum of an observation's vectors) under its symbol's name. */
export interface NamedVector {
  name: string;
  vector: number[];
}

/**
 * What one learn does to a node. It names no state it was computed from: whoever applies the changes of a node in
 * the order of its log has the same memory, whatever was known when they were made.
 */
export interface LearnedPattern {
  kind: "learn";
  hash: string;
  /** At least two symbols in all; no event is empty. */
  events: Event[];
  /** Symbols in all events. */
  length: number;
  /** Each distinct symbol with its occurrences, in order of first occurrence. */
  occurrences: [symbol: string, count: number][];
  /** The newest maps of emotives, at most `persistence`, oldest first. */
  emotives: Emotives[];
  /** How many maps of emotives the pattern keeps. */
  persistence: number;
  /** What every distinct symbol's affinity grows by: the average of all maps given; null without any. */
  affinity: Emotives | null;
  metadata: PatternMetadata;
  /** Vectors that the session had waiting; indexed with the learn. */
  vectors: NamedVector[];
}

/** A learn that made no pattern still indexes the vectors that were waiting. */
export interface IndexedVectors {
  kind: "index-vectors";
  vectors: NamedVector[];
}

/** Fields that are absent stay as they are. The pattern must exist. */
export interface CorrectedPattern {
  kind: "correct";
  hash: string;
  /** At least 1. */
  frequency?: number;
  emotives?: Emotives[];
  metadata?: PatternMetadata;
}

export interface ForgottenPattern {
  kind: "forget";
  hash: string;
}

/** Fixes the intrinsic metrics of every pattern there is, from the statistics of this moment. */
export interface FinalizedNode {
  kind: "finalize";
}

export interface ClearedNode {
  kind: "clear";
}

/** One entry of a node's log: plain JSON. Applied in order, the entries are the node's long-term memory. */
export type NodeChange =
  | LearnedPattern
  | IndexedVectors
  | CorrectedPattern
  | ForgottenPattern
  | FinalizedNode
  | ClearedNode;

/** A pattern as a node keeps it. */
export interface StoredPattern {
  hash: string;
  events: Event[];
  frequency: number;
  emotives: Emotives[];
  metadata: PatternMetadata;
}
