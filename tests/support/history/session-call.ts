import type { SessionConfig, SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import type { NoNextReason } from "@kato-rpc/shared/next.ts";
import type { Event, Interval, Outcome, Stm } from "./recorded-call.ts";

/** One observation: the session's time and the length of short-term memory after it, what it learned by itself. */
export interface Observed {
  readonly time: number;
  readonly stmLength: number;
  readonly learned: string | null;
}

/** Calls that share an `id` are attempts at one change, recorded each. Events are as stored: symbols sorted. */
export interface Requests {
  create: { readonly config: SessionConfigPatch };
  observe: { readonly id: string; readonly event: Event };
  sequence: { readonly id: string; readonly events: readonly Event[] } & SequenceOptions;
  learn: { readonly id: string };
  clear: { readonly id: string };
  configure: { readonly id: string; readonly patch: SessionConfigPatch };
  delete: unknown;
  stm: unknown;
  get: unknown;
  predict: unknown;
  next: unknown;
}

export interface SequenceOptions {
  readonly learnAfterEach: boolean;
  readonly learnAtEnd: boolean;
  readonly clearStmBetween: boolean;
}

/** The fields of a reply that are checked. */
export interface Replies {
  create: Addressed;
  observe: Observed & Replayable & Addressed;
  sequence: SequenceReply & Replayable & Addressed;
  learn: Replayable & Addressed & { readonly learned: string | null; readonly frequency: number };
  clear: { readonly replayed?: true };
  configure: { readonly config: SessionConfig; readonly replayed?: true };
  delete: { readonly deleted: boolean };
  stm: { readonly stm: Stm; readonly length: number; readonly time: number } & Addressed;
  get: {
    readonly time: number;
    readonly stmLength: number;
    readonly config: SessionConfig;
  } & Addressed;
  predict: { readonly time: number; readonly predictions: readonly Predicted[] } & Addressed;
  next: NextTold & Addressed;
}

/** Of a distribution: by which patterns it is told, and by how much at most what must add up does not. */
export interface NextTold {
  readonly time: number;
  readonly because: readonly Predicted[];
  readonly deviation: number;
  readonly empty: NoNextReason | null;
}

export interface SequenceReply {
  readonly results: readonly Observed[];
  readonly learned: readonly string[];
  readonly finalLearned: string | null;
  readonly initialStmLength: number;
  readonly finalStmLength: number;
  readonly time: number;
}

/** `name` without its prefix, as predictions have it. */
export interface Predicted {
  readonly name: string;
  readonly frequency: number;
}

interface Addressed {
  readonly sessionId: string;
  readonly nodeId: string;
}

interface Replayable {
  readonly replayed: boolean;
}

export type Kind = keyof Requests;

/**
 * A call on one session as its caller saw it, however often it was sent on the way: without a reply it took effect
 * once at any moment after its start, or never. A session's first call is its `create`, answered.
 */
export type SessionCallOf<K extends Kind> = Interval &
  Outcome<Replies[K]> &
  Requests[K] & { readonly kind: K; readonly session: string; readonly node: string };
export type SessionCall = { [K in Kind]: SessionCallOf<K> }[Kind];
