import type { Emotives, Event, JsonValue, Metadata } from "@kato-rpc/shared/observation.ts";
import type { NodeSummary } from "@kato-rpc/shared/node.ts";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import type { IndexedVectors, LearnedPattern, NamedVector } from "../engine/node-change.ts";

/** What a session is between two calls, short-term memory and accumulators left out. Times in epoch ms. */
export type SessionState = {
  readonly sessionId: string;
  readonly nodeId: string;
  readonly createdAt: number;
  readonly ttlSeconds: number;
  readonly metadata: Metadata;
  /** Rises by one with every commit; a commit names the version it was computed from, and that one's mark. */
  readonly version: number;
  /**
   * What nobody else has given this version. It tells it from another of its number, which comes about when a store
   * loses its newest changes and goes on without them; '' in sessions from before there were marks.
   */
  readonly mark: string;
  readonly config: SessionConfigPatch;
  readonly time: number;
  readonly stmLength: number;
};

/** The last observation, as far as it is not derived from the accumulators. */
export type StoredPercept = {
  strings: string[];
  vectors: number[][];
  metadata: Metadata;
};

/** A change of a session, small whatever the session holds: clear first, then append, then set. */
export type SessionDelta = {
  clearsStm: boolean;
  clearsAccumulators: boolean;
  events: Event[];
  emotives: Emotives[];
  metadata: Metadata[];
  /** Waiting vectors are all gone: indexed by a learn, or cleared with the rest. */
  clearsVectors: boolean;
  /** Vectors observed, which wait for the session's next learn. */
  vectors: NamedVector[];
  /** null: there is no percept any more; undefined: unchanged. */
  percept?: StoredPercept | null | undefined;
  config?: SessionConfigPatch | undefined;
};

/** What a call with this id was answered; a repeat of the id gets it again. */
export type Outcome = {
  id: string;
  reply: JsonValue;
  /**
   * Place in the commit's `learns` of one whose frequency belongs to the reply: remembered is
   * `[reply, frequency]` then, and `[reply, null]` where that one made no pattern.
   */
  learn?: number | undefined;
};

/** What a session's commit does to its node's long-term memory. */
export type Learn = LearnedPattern | IndexedVectors;

/**
 * When a call happens, in epoch ms. undefined: when the store comes to it, by the store's own clock, which is one for
 * all workers. A worker's clock may be an hour off, and a call may be long on its way: neither must decide what has
 * expired, nor bring back what has.
 */
export type Moment = number | undefined;

/** When, and whether this contact moves the session's expiry (never backwards). */
export type Contact = { nowMs: Moment; slides: boolean };

export type SessionCommit = {
  sessionId: string;
  at: Contact;
  baseVersion: number;
  baseMark: string;
  /** Of the version that the commit makes. */
  mark: string;
  /** The session's time after the change. */
  time: number;
  delta: SessionDelta;
  /** If one of these ids is remembered, nothing is written and the commit is stale. */
  ids: readonly string[];
  /** To remember with the change; of more than are ever remembered, the last. */
  outcomes: readonly Outcome[];
  /** Changes of the node, in order, each an entry of its log; they happen with the session's change or not at all. */
  learns: readonly Learn[];
};

/** The current state, and of the ids asked for those that were seen before with their replies. */
export type CurrentSession = {
  state: SessionState;
  expiresAt: number;
  seen: ReadonlyMap<string, JsonValue>;
};

export type CommitResult =
  | {
      status: "committed";
      expiresAt: number;
      /** How often each of `learns` has its pattern learned now; null where it made none. */
      frequencies: (number | null)[];
    }
  | ({ status: "stale" } & CurrentSession);

/** Parts of a session that are loaded only where they are needed. */
export type SessionPart = "stm" | "emotives" | "metadata" | "vectors" | "percept";

/** What a session has gathered, oldest first. */
export type SessionMemory = {
  stm: Event[];
  emotives: Emotives[];
  metadata: Metadata[];
  /** Vectors observed and not yet indexed. */
  vectors: NamedVector[];
};

/** A part not asked for is empty. */
export type LoadedSession = CurrentSession & SessionMemory & { percept: StoredPercept | null };

export type NewSession = {
  sessionId: string;
  nodeId: string;
  nowMs: Moment;
  ttlSeconds: number;
  metadata: Metadata;
  config: SessionConfigPatch;
  /** Of the first version. */
  mark: string;
  /** A second creation with this id on the node gives the session of the first. */
  requestId: string | undefined;
  /** Remembered with the request, and told to whoever repeats it. */
  digest?: string | undefined;
};

/** `firstDigest`: of a repeated request, what came with it the first time. */
export type CreatedSession = CurrentSession & { repeated: boolean; firstDigest?: string };

/** The id that a caller gave a mutation, and the digest of what it is given for. */
export type IdentifiedRequest = { id: string; digest: string };

export type Extended = {
  expiresAt: number;
  ttlSeconds: number;
  /** Of a request made before, whose reply this is: what came with it the first time. Nothing has moved then. */
  firstDigest?: string;
};

export type ListedSession = { state: SessionState; expiresAt: number };

/** `cursor` is opaque; null after the last page. */
export type Page<T> = { items: T[]; nextCursor: string | null };

export type PageRequest = { cursor: string | undefined; limit: number; nowMs: Moment };

/**
 * Where sessions live. Every method is atomic and bounded in time.
 *
 * @throws ServiceError SESSION_NOT_FOUND, SESSION_EXPIRED (for a day after expiry), STORE_UNAVAILABLE
 *   (the outcome is unknown to the caller, who may repeat the call with the same ids).
 */
export interface SessionStore {
  readonly kind: "redis" | "sqlite";

  /** `repeated`: the request was made before, and this is the session it made then; its expiry stays. */
  create(session: NewSession): Promise<CreatedSession>;

  load(
    sessionId: string,
    options: { at: Contact; ids?: readonly string[]; parts?: readonly SessionPart[] },
  ): Promise<LoadedSession>;

  /**
   * Writes the whole change if the session's version is still `baseVersion` with `baseMark`, else nothing.
   *
   * @throws ServiceError VECTOR_DIMENSION_MISMATCH when a learn's vectors differ in dimension from the node's or
   *   from each other; nothing is written then
   */
  commit(commit: SessionCommit): Promise<CommitResult>;

  /** Moves the expiry to `nowMs + ttlSeconds` unless it is later already; gives the expiry in epoch ms. */
  extend(
    sessionId: string,
    options: {
      nowMs: Moment;
      ttlSeconds: number | undefined;
      request?: IdentifiedRequest | undefined;
    },
  ): Promise<Extended>;

  /** Whether a live session was there to delete; "repeated": it was, and this request has deleted it before. */
  delete(sessionId: string, nowMs: Moment, requestId?: string): Promise<boolean | "repeated">;

  /** Never moves the expiry. */
  find(sessionId: string, nowMs: Moment): Promise<"live" | "expired" | "missing">;

  /**
   * Live sessions of one node, ordered by the second in which they expire. None is missed; when one is used meanwhile, it
   * and others of its second may come twice. A page may hold few or none while sessions expire.
   */
  listSessions(nodeId: string, page: PageRequest): Promise<Page<ListedSession>>;

  /** Of sessions that are created or deleted meanwhile, some may be counted and others not. */
  countSessions(nodeId: string, nowMs: Moment): Promise<number>;

  /** Whether a session was ever created on the node. */
  hasNode(nodeId: string): Promise<boolean>;

  /** Nodes on which a session was ever created, with ids after `after`, ordered by their UTF-8 bytes. */
  listNodes(request: {
    after: string | undefined;
    limit: number;
    nowMs: Moment;
  }): Promise<{ items: NodeSummary[]; more: boolean }>;

  /** Round trip to the store in ms. */
  ping(): Promise<number>;

  close(): Promise<void>;
}

/** How much of a session is kept; the oldest leave first. */
export type Retention = {
  events: number;
  /** Emotives, metadata and waiting vectors, of each. */
  accumulated: number;
  /** Ids of calls, of each session and each node, that are remembered in any case for `outcomesMs`: remembered-window.ts. */
  outcomes: number;
  /** Also how long creations and deletions are remembered, however many. */
  outcomesMs: number;
};

/** How long an expired session is told from one that never was. */
export const TOMBSTONE_MS = 86_400_000;
