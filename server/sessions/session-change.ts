import type { Event, JsonValue } from "@kato-rpc/shared/observation.ts";
import type { PredictionList, PredictionSettings } from "@kato-rpc/shared/prediction.ts";
import type {
  Learn,
  Outcome,
  SessionDelta,
  SessionMemory,
  SessionPart,
  SessionState,
} from "../stores/session-store.ts";
import { refuseOtherContent } from "../content-digest.ts";
import type { NodeVectors } from "./node-vectors.ts";

/** Replies remembered under the ids asked for. */
export type Seen = Pick<ReadonlyMap<string, JsonValue>, "has" | "get">;

/** What a change is computed on. */
export type Base = {
  state: SessionState;
  seen: Seen;
  /** The parts that the change asked for. Not to be changed. */
  memory: Partial<SessionMemory>;
  /** The node's vectors, for a change that asked for their neighbours. */
  vectors?: NodeVectors | undefined;
};

/** What to predict before the change is committed, for its reply. */
export type Question<Reply> = {
  stm: readonly Event[];
  settings: PredictionSettings;
  reply(reply: Reply, list: PredictionList): Reply;
};

/** The result of one change computed on one state; nothing is written yet. */
export type Step<Reply> = {
  state: SessionState;
  /** undefined: the change writes nothing (a repeat of an earlier call). */
  delta: SessionDelta | undefined;
  /** Their `learn` counts from the first of this step's `learns`. */
  outcomes: Outcome[];
  learns: Learn[];
  reply: Reply;
  /** The reply once the frequencies of `learns` are known, where it tells one. */
  finish?: ((frequencies: readonly (number | null)[]) => Reply) | undefined;
  question?: Question<Reply> | undefined;
};

/**
 * A change of a session as a pure function, so that it can be computed again on the newer state when
 * another worker was faster. Refuses by throwing a ServiceError; then nothing of it happens.
 */
export type SessionChange<Reply> = {
  /** Ids under which this change, or a part of it, may have happened before. */
  ids: readonly string[];
  /** About how many values the change writes or asks for: bounds what one commit takes together. */
  weight: number;
  /** What must be loaded besides the state to compute the change on it. */
  parts(state: SessionState): readonly SessionPart[];
  /** Asks its node: for the neighbours of these vectors, for predictions, or both. Committed alone. */
  asks?: { vectors: readonly (readonly number[])[]; predicts: boolean } | undefined;
  /** Its reply is complete only once it is committed: a repeat of its id must wait for that. */
  finishes?: boolean;
  apply(base: Base): Step<Reply>;
};

/** One letter for each kind of call that is remembered, so that no call is taken for one of another kind. */
const ID_PREFIX = {
  observation: "o",
  sequence: "s",
  learn: "l",
  clear: "c",
  configure: "g",
  extend: "x",
} as const;

export function rememberedId(kind: keyof typeof ID_PREFIX, id: string): string {
  return ID_PREFIX[kind] + id;
}

/** Of a call whose caller gave it no id nothing is remembered: nobody could ask for it again. */
export function identityOf(
  kind: keyof typeof ID_PREFIX,
  id: string | undefined,
  digest?: string,
): Identity | undefined {
  return id === undefined ? undefined : { id: rememberedId(kind, id), digest };
}

/** For `ids` and `outcomes`. */
export function listOf<T>(item: T | undefined): T[] {
  return item === undefined ? [] : [item];
}

/** A reply as it is remembered with the digest of what it answers. */
type Remembered<Reply> = [digest: string | null, reply: Reply];

/** An id of `rememberedId`, and the digest of what it is given for; undefined for an id that the service made. */
export type Identity = { id: string; digest?: string | undefined };

export function remember({ id, digest }: Identity, reply: JsonValue): Outcome {
  return { id, reply: [digest ?? null, reply] satisfies Remembered<JsonValue> };
}

/**
 * The first reply to what was remembered under the id; undefined where nothing was.
 *
 * @throws ServiceError INVALID_INPUT with both digests when the id was given for other content
 */
export function recall<Reply extends JsonValue>(
  { seen, state }: Pick<Base, "seen" | "state">,
  identity: Identity | undefined,
): Reply | undefined {
  if (identity === undefined) return undefined;
  const { id, digest: given } = identity;
  const found = seen.get(id) as Remembered<Reply> | undefined;
  if (found === undefined) return undefined;
  const [remembered, reply] = found;
  refuseOtherContent(id.slice(1), { remembered, given }, { sessionId: state.sessionId });
  return reply;
}

/** A step that answers a repeat of an earlier call. */
export function replayStep<Reply>(state: SessionState, reply: Reply): Step<Reply> {
  return { state, delta: undefined, outcomes: [], learns: [], reply };
}

export function emptyDelta(): SessionDelta {
  return {
    clearsStm: false,
    clearsAccumulators: false,
    clearsVectors: false,
    events: [],
    emotives: [],
    metadata: [],
    vectors: [],
  };
}

/** `first` followed by `second`, as one delta: what `second` clears, `first` need not append. */
export function joinDeltas(first: SessionDelta, second: SessionDelta): SessionDelta {
  return {
    clearsStm: first.clearsStm || second.clearsStm,
    clearsAccumulators: first.clearsAccumulators || second.clearsAccumulators,
    clearsVectors: first.clearsVectors || second.clearsVectors,
    events: second.clearsStm ? second.events : append(first.events, second.events),
    emotives: second.clearsAccumulators ? second.emotives : append(first.emotives, second.emotives),
    metadata: second.clearsAccumulators ? second.metadata : append(first.metadata, second.metadata),
    vectors: second.clearsVectors ? second.vectors : append(first.vectors, second.vectors),
    percept: second.percept === undefined ? first.percept : second.percept,
    config: second.config ?? first.config,
  };
}

/** Appends in place: deltas are joined many times over, and `first` belongs to the join. */
function append<T>(first: T[], second: readonly T[]): T[] {
  for (const item of second) first.push(item);
  return first;
}
