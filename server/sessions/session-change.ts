import type { JsonValue } from "@kato-rpc/shared/observation.ts";
import type { Outcome, SessionDelta, SessionState } from "../stores/session-store.ts";

/** The result of one change computed on one state; nothing is written yet. */
export type Step<Reply> = {
  state: SessionState;
  /** undefined: the change writes nothing (a repeat of an earlier call). */
  delta: SessionDelta | undefined;
  outcomes: Outcome[];
  reply: Reply;
};

/** Replies remembered under the ids asked for. */
export type Seen = Pick<ReadonlyMap<string, JsonValue>, "has" | "get">;

/**
 * A change of a session as a pure function, so that it can be computed again on the newer state when
 * another worker was faster. Refuses by throwing a ServiceError; then nothing of it happens.
 */
export type SessionChange<Reply> = {
  /** Ids under which this change, or a part of it, may have happened before. */
  ids: readonly string[];
  apply(state: SessionState, seen: Seen): Step<Reply>;
  /** About how many values the change writes or asks for: bounds what one commit takes together. */
  weight: number;
};

/** One letter for each kind of call that is remembered, so that no call is taken for one of another kind. */
const ID_PREFIX = { observation: "o", sequence: "s", clear: "c", configure: "g" } as const;

export function rememberedId(kind: keyof typeof ID_PREFIX, id: string): string {
  return ID_PREFIX[kind] + id;
}

export function emptyDelta(): SessionDelta {
  return { clearsStm: false, clearsAccumulators: false, events: [], emotives: [], metadata: [] };
}

/** `first` followed by `second`, as one delta: what `second` clears, `first` need not append. */
export function joinDeltas(first: SessionDelta, second: SessionDelta): SessionDelta {
  return {
    clearsStm: first.clearsStm || second.clearsStm,
    clearsAccumulators: first.clearsAccumulators || second.clearsAccumulators,
    events: second.clearsStm ? second.events : append(first.events, second.events),
    emotives: second.clearsAccumulators ? second.emotives : append(first.emotives, second.emotives),
    metadata: second.clearsAccumulators ? second.metadata : append(first.metadata, second.metadata),
    percept: second.percept === undefined ? first.percept : second.percept,
    config: second.config ?? first.config,
  };
}

/** Appends in place: deltas are joined many times over, and `first` belongs to the join. */
function append<T>(first: T[], second: readonly T[]): T[] {
  for (const item of second) first.push(item);
  return first;
}
