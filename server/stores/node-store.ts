import type { Emotives } from "@kato-rpc/shared/observation.ts";
import type {
  ClearedNode,
  CorrectedPattern,
  FinalizedNode,
  ForgottenPattern,
  StoredPattern,
} from "../engine/node-change.ts";
import type { IdentifiedRequest, Moment } from "./session-store.ts";

/**
 * A place in a node's log: the number of an entry and a random mark, as `12-3735928559`. Numbers rise by one
 * and never start over; the mark tells an entry from another that has its number, as after a store was
 * restored from a copy. `LOG_START` is the place before the first entry.
 */
export type LogPosition = string;

export const LOG_START: LogPosition = "0-0";

/** The number in a position: how many changes the node has seen. */
export function logNumber(position: LogPosition): number {
  return Number.parseInt(position, 10);
}

/** `json` is a NodeChange. */
export type LogEntry = { position: LogPosition; json: string };

/** Changes of a node that no session makes. Learns come with a session's commit. */
export type NodeMutation = CorrectedPattern | ForgottenPattern | FinalizedNode | ClearedNode;

export type NodeRequest = IdentifiedRequest & { nowMs: Moment };

export type ChangedNode = {
  /** How many the node has after the change. */
  patterns: number;
  /** The one corrected, as it was then. */
  pattern?: StoredPattern | undefined;
  /** Of a request made before, whose answer this is: what came with it the first time. */
  firstDigest?: string;
};

/** A pattern with the number of the log entry by which it came to be: its place in the order of patterns. */
export type BornPattern = StoredPattern & { born: number };

/** Rows of a node as they stand at the log's `number`; pages of one node may stand at different numbers. */
export type NodePage<Row> = {
  number: number;
  rows: Row[];
  /** null after the last page. */
  nextCursor: string | null;
};

/** Rows as they are kept, for whoever builds a replica: nothing is parsed on the way. */
export type PatternRow = [
  hash: string,
  born: number,
  frequency: number,
  /** JSON of `Event[]`. */
  events: string,
  /** JSON of `Emotives[]`; "" for none. */
  emotives: string,
  /** JSON of pairs `[key, text][]` in any order; "" for none. */
  metadata: string,
];
/** JSON of pairs `[emotive, sum][]`. */
export type AffinityRow = [symbol: string, sums: string];
/** JSON of `number[]`. */
export type VectorRow = [name: string, vector: string];
/** How many patterns had the symbol at the last finalize. */
export type FinalizedRow = [symbol: string, patterns: number];

export type NodeRows = {
  patterns: PatternRow;
  affinities: AffinityRow;
  vectors: VectorRow;
  finalized: FinalizedRow;
};

/** What the last finalize found (sessions.md §9); it covers the patterns born up to its log entry's `number`. */
export type FinalizedAt = { number: number; patterns: number; symbols: number };

export type NodeHead = { position: LogPosition; finalized: FinalizedAt | null };

export type NodeTotalsRow = {
  patterns: number;
  symbols: number;
  /** Learns of all patterns. */
  frequencies: number;
  /** Symbols of all patterns, each pattern counted as often as it was learned. */
  symbolOccurrences: number;
  vectors: number;
  /** UTF-8 bytes of all patterns' events as JSON. */
  bytes: number;
};

export type SymbolRow = {
  symbol: string;
  frequency: number;
  patternMemberFrequency: number;
  affinity: Emotives;
};

/**
 * The long-term memory of nodes, by node tag. Every method is atomic and bounded in time; a node never
 * written to is empty.
 *
 * @throws ServiceError STORE_UNAVAILABLE from every method
 */
export interface NodeStore {
  /**
   * Up to `limit` changes after `from`, oldest first. undefined when `from` is no longer in the log, or is
   * not of this log: what was built up to there must be built anew.
   */
  readLog(tag: string, from: LogPosition, limit: number): Promise<LogEntry[] | undefined>;

  readHead(tag: string): Promise<NodeHead>;

  /**
   * A page of what the node holds, to build a replica: patterns in the order of their birth, the others in
   * an order of the store's. Rows that stand during all of a walk come at least once; changes meanwhile
   * may or may not show, which is what a page's `number` is for.
   */
  readRows<Kind extends keyof NodeRows>(
    tag: string,
    kind: Kind,
    page: { cursor: string | null; limit: number },
  ): Promise<NodePage<NodeRows[Kind]>>;

  readTotals(tag: string): Promise<NodeTotalsRow>;

  findPattern(tag: string, hash: string): Promise<BornPattern | undefined>;

  /** Those born after `after`, in the order of their birth. */
  listPatterns(tag: string, page: { after: number; limit: number }): Promise<BornPattern[]>;

  /** What is known of these symbols; zeros and no affinity where nothing is. */
  findSymbols(tag: string, symbols: readonly string[]): Promise<SymbolRow[]>;

  /** Symbols of patterns after `after`, in code point order. */
  listSymbols(
    tag: string,
    page: { after: string | undefined; limit: number },
  ): Promise<SymbolRow[]>;

  /**
   * Makes the change and enters it in the node's log, both or neither; and remembers the answer for the request, if it
   * has an id: with an id that is remembered nothing changes, and the first answer is given again.
   *
   * @throws ServiceError PATTERN_NOT_FOUND
   */
  change(tag: string, mutation: NodeMutation, request?: NodeRequest): Promise<ChangedNode>;
}

/**
 * Entries a log keeps at least, and for a larger node a part of its patterns: past it, to follow the log
 * would cost about as much as to load the node.
 */
export const LOG_ENTRIES_KEPT = 4_096;
export const LOG_ENTRIES_KEPT_PER_PATTERN = 0.5;
