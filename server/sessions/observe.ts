import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Emotives, JsonValue, Metadata, ObserveReply } from "@kato-rpc/shared/observation.ts";
import { effectiveConfig } from "@kato-rpc/shared/session-config.ts";
import type { ObserveSequenceReply } from "@kato-rpc/shared/session.ts";
import { processObservation } from "../engine/observation.ts";
import type { Outcome, SessionDelta, SessionState } from "../stores/session-store.ts";
import type { Seen, SessionChange, Step } from "./session-change.ts";
import { emptyDelta, joinDeltas, rememberedId } from "./session-change.ts";

export type Observation = {
  strings: string[];
  vectors: number[][];
  emotives: Emotives | undefined;
  metadata: Metadata | undefined;
  observationId: string;
};

export type StmRule = { stmLimit: number };

/** What is remembered of an observation: its time, the STM's length after it, the pattern learned. */
type RememberedObservation = [time: number, stmLength: number, learned: string | null];

/** One observation. @throws ServiceError TIME_CONFLICT, VECTOR_DIMENSION_MISMATCH */
export function observe(
  observation: Observation,
  rule: StmRule & { expectedTime: number | undefined },
): SessionChange<ObserveReply> {
  return {
    ids: [rememberedId("observation", observation.observationId)],
    weight: 1,
    apply(state, seen) {
      const first = seen.get(rememberedId("observation", observation.observationId));
      if (first === undefined) refuseOtherTime(state, rule.expectedTime);
      return applyObservation(state, observation, { ...rule, seen });
    },
  };
}

function refuseOtherTime(state: SessionState, expectedTime: number | undefined): void {
  if (expectedTime === undefined || expectedTime === state.time) return;
  throw new ServiceError(
    "TIME_CONFLICT",
    `expectedTime was ${expectedTime}, the session's time is ${state.time}; nothing was written`,
    { sessionId: state.sessionId, actualTime: state.time },
  );
}

function applyObservation(
  state: SessionState,
  observation: Observation,
  context: StmRule & { seen: Seen },
): Step<ObserveReply> {
  const id = rememberedId("observation", observation.observationId);
  const first = context.seen.get(id);
  if (first !== undefined) return replay(state, observation, first as RememberedObservation);

  const sortSymbols = effectiveConfig(state.config).sortSymbols;
  const { event, strings } = processObservation(observation, { sortSymbols });
  const next: SessionState = {
    ...state,
    time: state.time + 1,
    stmLength: Math.min(context.stmLimit, state.stmLength + (event.length > 0 ? 1 : 0)),
  };
  const { vectors, emotives = {}, metadata = {} } = observation;
  const delta: SessionDelta = {
    clearsStm: false,
    clearsAccumulators: false,
    events: event.length > 0 ? [event] : [],
    emotives: isEmpty(emotives) ? [] : [emotives],
    metadata: isEmpty(metadata) ? [] : [metadata],
    percept: { strings, vectors, metadata },
  };
  const remembered: RememberedObservation = [next.time, next.stmLength, null];
  return {
    state: next,
    delta,
    outcomes: [{ id, reply: remembered }],
    reply: observeReply(state, observation, { remembered, replayed: false }),
  };
}

function replay(
  state: SessionState,
  observation: Observation,
  remembered: RememberedObservation,
): Step<ObserveReply> {
  const reply = observeReply(state, observation, { remembered, replayed: true });
  return { state, delta: undefined, outcomes: [], reply };
}

function observeReply(
  { sessionId, nodeId }: SessionState,
  { observationId }: Observation,
  result: { remembered: RememberedObservation; replayed: boolean },
): ObserveReply {
  const [time, stmLength, learned] = result.remembered;
  return { sessionId, nodeId, observationId, time, stmLength, learned, replayed: result.replayed };
}

function isEmpty(map: object): boolean {
  for (const _ in map) return false;
  return true;
}

export type Sequence = {
  observations: Observation[];
  /** Ids of items that the caller gave: each is remembered by itself, like that of an `observe`. */
  givenIds: ReadonlySet<string>;
  clearStmBetween: boolean;
  requestId: string;
};

/** What is remembered of a sequence: enough to answer a repeat, which brings the same observations. */
type RememberedSequence = {
  results: [...RememberedObservation, replayed: boolean][];
  initialStmLength: number;
  finalStmLength: number;
  time: number;
};

/** Several observations as one change: all of them happen or none. @throws ServiceError as `observe` */
export function observeSequence(
  sequence: Sequence,
  rule: StmRule,
): SessionChange<ObserveSequenceReply> {
  return {
    ids: [
      rememberedId("sequence", sequence.requestId),
      ...Array.from(sequence.givenIds, (id) => rememberedId("observation", id)),
    ],
    weight: sequence.observations.length,
    apply(state, seen) {
      const first = seen.get(rememberedId("sequence", sequence.requestId));
      return first === undefined
        ? applySequence(state, sequence, { ...rule, seen })
        : replaySequence(state, sequence, first as RememberedSequence);
    },
  };
}

function applySequence(
  initial: SessionState,
  sequence: Sequence,
  context: StmRule & { seen: Seen },
): Step<ObserveSequenceReply> {
  const own = new Map<string, JsonValue>();
  // In front of what was seen before rather than a copy of it: that may be much, and sequences many.
  const seen: Seen = {
    has: (id) => own.has(id) || context.seen.has(id),
    get: (id) => own.get(id) ?? context.seen.get(id),
  };
  const outcomes: Outcome[] = [];
  const results: ObserveReply[] = [];
  let state = initial;
  let delta = emptyDelta();
  for (const [position, observation] of sequence.observations.entries()) {
    if (sequence.clearStmBetween && position > 0) {
      state = { ...state, stmLength: 0 };
      delta = joinDeltas(delta, { ...emptyDelta(), clearsStm: true });
    }
    const step = applyObservation(state, observation, { ...context, seen });
    state = step.state;
    if (step.delta !== undefined) delta = joinDeltas(delta, step.delta);
    for (const outcome of step.outcomes) {
      own.set(outcome.id, outcome.reply);
      if (sequence.givenIds.has(observation.observationId)) outcomes.push(outcome);
    }
    results.push(step.reply);
  }
  const reply = sequenceReply(initial, results, {
    finalStmLength: state.stmLength,
    time: state.time,
  });
  const id = rememberedId("sequence", sequence.requestId);
  outcomes.push({ id, reply: rememberSequence(reply) });
  return { state, delta: results.length === 0 ? undefined : delta, outcomes, reply };
}

function sequenceReply(
  { sessionId, nodeId, stmLength }: SessionState,
  results: ObserveReply[],
  final: { finalStmLength: number; time: number },
): ObserveSequenceReply {
  return {
    sessionId,
    nodeId,
    results,
    learned: [],
    finalLearned: null,
    initialStmLength: stmLength,
    ...final,
    replayed: false,
  };
}

function rememberSequence(reply: ObserveSequenceReply): RememberedSequence {
  const { initialStmLength, finalStmLength, time } = reply;
  const results = reply.results.map((item): RememberedSequence["results"][number] => [
    item.time,
    item.stmLength,
    item.learned,
    item.replayed,
  ]);
  return { results, initialStmLength, finalStmLength, time };
}

function replaySequence(
  state: SessionState,
  sequence: Sequence,
  remembered: RememberedSequence,
): Step<ObserveSequenceReply> {
  const { sessionId, nodeId } = state;
  const results = remembered.results.map(([time, stmLength, learned], position): ObserveReply => {
    const observationId = sequence.observations[position]?.observationId ?? "";
    return { sessionId, nodeId, observationId, time, stmLength, learned, replayed: true };
  });
  const { initialStmLength, finalStmLength, time } = remembered;
  const first = sequenceReply({ ...state, stmLength: initialStmLength }, results, {
    finalStmLength,
    time,
  });
  const reply = { ...first, replayed: true };
  return { state, delta: undefined, outcomes: [], reply };
}
