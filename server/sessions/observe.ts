import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Emotives, Event, Metadata, ObservationInput } from "@kato-rpc/shared/observation.ts";
import type { ObserveReply } from "@kato-rpc/shared/session.ts";
import { DEFAULT_SESSION_CONFIG, effectiveConfig } from "@kato-rpc/shared/session-config.ts";
import type { SessionConfig } from "@kato-rpc/shared/session-config.ts";
import { decideAutoLearning } from "../engine/auto-learning.ts";
import { learnPattern } from "../engine/learning.ts";
import type { NamedVector } from "../engine/node-change.ts";
import type { ProcessedObservation } from "../engine/observation.ts";
import { processObservation } from "../engine/observation.ts";
import { patternName } from "../engine/pattern-name.ts";
import { sumVectors } from "../engine/vector-symbol.ts";
import type {
  Retention,
  SessionDelta,
  SessionPart,
  SessionState,
} from "../stores/session-store.ts";
import { digestOf } from "../content-digest.ts";
import type { Base, Identity, Question, SessionChange, Step } from "./session-change.ts";
import { recall, remember, rememberedId, replayStep } from "./session-change.ts";
import { learnsOf } from "./learn.ts";
import { partOf } from "./session-memory.ts";

export type Observation = {
  strings: string[];
  vectors: number[][];
  /** What the vectors add up to; undefined without any. */
  vectorSum: number[] | undefined;
  emotives: Emotives | undefined;
  metadata: Metadata | undefined;
  observationId: string;
  /** Of all that is observed, where the caller gave the id. */
  digest?: string | undefined;
  /** false: nobody can have sent its id before, nor will again. */
  isRemembered: boolean;
};

/** An observation under the id given, or else one made. @throws ServiceError VECTOR_DIMENSION_MISMATCH */
export function observationOf(input: ObservationInput, makeId: () => string): Observation {
  const vectors = input.vectors ?? [];
  return {
    strings: input.strings ?? [],
    vectors,
    vectorSum: vectors.length === 0 ? undefined : sumVectors(vectors),
    emotives: input.emotives,
    metadata: input.metadata,
    observationId: input.observationId ?? makeId(),
    digest: input.observationId === undefined ? undefined : digestOf(contentOf(input)),
    isRemembered: true,
  };
}

/**
 * What makes two observations the same: all that becomes of the session. Neither `predict`, which only asks for more
 * in the reply, nor `expectedTime`, which a caller may learn anew between two attempts.
 */
export function contentOf({ strings, vectors, emotives, metadata }: ObservationInput): unknown {
  return [strings ?? [], vectors ?? [], emotives ?? {}, metadata ?? {}];
}

/** Whether the caller gave its id, and may have done so before: nobody can have sent what is made just now. */
function isGiven({ digest }: Observation): boolean {
  return digest !== undefined;
}

function identityOfOne({ observationId, digest }: Observation): Identity {
  return { id: rememberedId("observation", observationId), digest };
}

export type StmRule = Pick<Retention, "events">;

/** What is remembered of an observation: its time, the STM's length after it, the pattern learned. */
export type RememberedObservation = [time: number, stmLength: number, learned: string | null];

/** And where it asked for predictions, the version of the session that had just this short-term memory. */
type WithVersion = [...RememberedObservation, version?: number];

/** One observation. @throws ServiceError TIME_CONFLICT, VECTOR_DIMENSION_MISMATCH */
export function observe(
  observation: Observation,
  rule: StmRule & { expectedTime: number | undefined; predicts: boolean },
): SessionChange<ObserveReply> {
  const { vectorSum } = observation;
  const identity = identityOfOne(observation);
  const { predicts } = rule;
  const vectors = vectorSum === undefined ? [] : [vectorSum];
  return {
    ids: isGiven(observation) ? [identity.id] : [],
    weight: 1,
    parts: (state) => partsToObserve(state, predicts),
    asks: predicts || vectors.length > 0 ? { vectors, predicts } : undefined,
    apply(base) {
      const { expectedTime } = rule;
      if (expectedTime !== undefined && !base.seen.has(identity.id)) {
        refuseOtherTime(base.state, expectedTime);
      }
      return applyObservation(base, observation, rule);
    },
  };
}

function refuseOtherTime(state: SessionState, expectedTime: number): void {
  if (expectedTime === state.time) return;
  throw new ServiceError(
    "TIME_CONFLICT",
    `expectedTime was ${expectedTime}, the session's time is ${state.time}; nothing was written`,
    { sessionId: state.sessionId, actualTime: state.time },
  );
}

/** What an observation reads that may learn by itself. */
export const PARTS_TO_LEARN_WITHIN: readonly SessionPart[] = ["stm", "vectors"];

/** What an observation reads of a session: most need nothing but its state. */
export function partsToObserve(state: SessionState, predicts: boolean): readonly SessionPart[] {
  const { maxPatternLength = DEFAULT_SESSION_CONFIG.maxPatternLength } = state.config;
  const mayLearn = maxPatternLength !== null && maxPatternLength > 0;
  if (mayLearn) return PARTS_TO_LEARN_WITHIN;
  return predicts ? ["stm"] : [];
}

/** engine.md §3, in its order; automatic learning (§9) included. */
export function applyObservation(
  base: Base,
  observation: Observation,
  rule: StmRule & { predicts: boolean },
): Step<ObserveReply> {
  const identity = observation.isRemembered ? identityOfOne(observation) : undefined;
  const first = isGiven(observation) ? recall<RememberedObservation>(base, identity) : undefined;
  if (first !== undefined) return replay(base, observation, { first, ...rule });
  const { state } = base;
  const config = effectiveConfig(state.config);
  const processed = processIn(base, observation, config);
  const { event, vector } = processed;
  const { delta, stmLength, learned, learns } = appendEvent(base, processed, { config, ...rule });
  const { vectors, emotives = {}, metadata = {} } = observation;
  if (!isEmpty(emotives)) delta.emotives.push(emotives);
  if (!isEmpty(metadata)) delta.metadata.push(metadata);
  delta.percept = { strings: processed.strings, vectors, metadata };
  const next: SessionState = { ...state, time: state.time + 1, stmLength };
  const remembered: RememberedObservation = [next.time, stmLength, learned];
  const reply = observeReply(state, observation, { remembered, replayed: false });
  if (learns.length > 0) base.vectors?.index(waiting(base, vector));
  return {
    state: next,
    delta,
    outcomes:
      identity === undefined
        ? []
        : // What predicts is alone in its commit, which makes the next version.
          [remember(identity, rule.predicts ? [...remembered, state.version + 1] : remembered)],
    learns,
    reply: rule.predicts ? { ...reply, predictions: [] } : reply,
    question:
      rule.predicts && config.processPredictions && event.length > 0
        ? questionOf(newest([...partOf(base.memory, "stm"), event], rule), config)
        : undefined,
  };
}

function processIn(
  base: Base,
  observation: Observation,
  config: SessionConfig,
): ProcessedObservation {
  const { vectorSum } = observation;
  return processObservation(observation, {
    sortSymbols: config.sortSymbols,
    nearestVectors: (_, count) => {
      if (vectorSum === undefined || base.vectors === undefined) return [];
      return base.vectors.nearest(vectorSum, count);
    },
  });
}

/** Vectors that wait for a learn, the one just observed included. */
function waiting({ memory }: Base, observed: NamedVector | undefined): NamedVector[] {
  const before = partOf(memory, "vectors");
  return observed === undefined ? before : [...before, observed];
}

/** Appends the event to short-term memory, and learns when that is long enough then. */
function appendEvent(
  base: Base,
  { event, vector }: ProcessedObservation,
  rule: StmRule & { config: SessionConfig },
) {
  const { state, memory } = base;
  const delta: SessionDelta = {
    clearsStm: false,
    clearsAccumulators: false,
    clearsVectors: false,
    events: event.length > 0 ? [event] : [],
    emotives: [],
    metadata: [],
    vectors: vector === undefined ? [] : [vector],
  };
  const length = Math.min(rule.events, state.stmLength + delta.events.length);
  const { config } = rule;
  const isDue = config.maxPatternLength > 0 && length >= config.maxPatternLength;
  const due =
    isDue && event.length > 0
      ? decideAutoLearning(newest([...partOf(memory, "stm"), event], rule), config)
      : undefined;
  if (due === undefined) return { delta, stmLength: length, learned: null, learns: [] };

  const outcome = learnPattern({
    events: due.events,
    emotives: [],
    metadata: [],
    persistence: config.persistence,
    vectors: waiting(base, vector),
  });
  return {
    delta: { ...delta, clearsStm: true, events: [...due.kept], clearsVectors: true, vectors: [] },
    stmLength: due.kept.length,
    learned: outcome.learned === null ? null : patternName(outcome.learned.hash),
    learns: learnsOf(outcome),
  };
}

/** The events that short-term memory keeps of these. */
function newest(events: Event[], { events: keep }: StmRule): Event[] {
  return events.length > keep ? events.slice(-keep) : events;
}

function questionOf(stm: readonly Event[], settings: SessionConfig): Question<ObserveReply> {
  return { stm, settings, reply: (reply, { predictions }) => ({ ...reply, predictions }) };
}

/** The first reply again. Its predictions can be told while short-term memory is what it was then. */
function replay(
  { state, memory }: Base,
  observation: Observation,
  rule: { first: RememberedObservation; predicts: boolean },
): Step<ObserveReply> {
  const [, , learned, version] = rule.first as WithVersion;
  const reply = observeReply(state, observation, { remembered: rule.first, replayed: true });
  const step = replayStep(state, reply);
  if (!rule.predicts || state.version !== version || learned !== null) return step;

  const config = effectiveConfig(state.config);
  const isOff =
    !config.processPredictions || observation.strings.length + observation.vectors.length === 0;
  return {
    ...step,
    reply: { ...reply, predictions: [] },
    question: isOff ? undefined : questionOf(partOf(memory, "stm"), config),
  };
}

export function observeReply(
  { sessionId, nodeId }: SessionState,
  { observationId }: Pick<Observation, "observationId">,
  result: { remembered: RememberedObservation; replayed: boolean },
): ObserveReply {
  const [time, stmLength, learned] = result.remembered;
  return { sessionId, nodeId, observationId, time, stmLength, learned, replayed: result.replayed };
}

function isEmpty(map: object): boolean {
  for (const _ in map) return false;
  return true;
}
