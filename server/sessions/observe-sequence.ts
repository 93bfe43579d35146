import type { JsonValue, ObservationInput } from "@kato-rpc/shared/observation.ts";
import type { ObserveReply, ObserveSequenceReply } from "@kato-rpc/shared/session.ts";
import type {
  Learn,
  Outcome,
  Retention,
  SessionDelta,
  SessionState,
} from "../stores/session-store.ts";
import { applyLearn, LEARN_WEIGHT, PARTS_TO_LEARN, refuseOver, workOf } from "./learn.ts";
import type { Observation } from "./observe.ts";
import { applyObservation, contentOf, observeReply, partsToObserve } from "./observe.ts";
import { digestOf } from "../content-digest.ts";
import type { Base, Identity, Seen, SessionChange, Step } from "./session-change.ts";
import {
  emptyDelta,
  identityOf,
  joinDeltas,
  listOf,
  recall,
  remember,
  rememberedId,
  replayStep,
} from "./session-change.ts";
import { applyDelta, copyMemory } from "./session-memory.ts";

export type Sequence = {
  /** Those whose ids the caller gave are remembered each by itself, like that of an `observe`. */
  observations: Observation[];
  clearStmBetween: boolean;
  learnAfterEach: boolean;
  learnAtEnd: boolean;
  /** undefined: nothing is remembered of the whole. */
  requestId: string | undefined;
  /** Of all of it, where the caller gave the id. */
  digest?: string | undefined;
};

/** What a caller asks for with a sequence. */
export type SequenceInput = {
  observations: ObservationInput[];
  learnAfterEach?: boolean | undefined;
  learnAtEnd?: boolean | undefined;
  clearStmBetween?: boolean | undefined;
};

/** The ids that its observations were given belong to a sequence as their contents do: its reply tells them. */
export function sequenceDigest(input: SequenceInput): string {
  const { observations, learnAfterEach = false, learnAtEnd = false } = input;
  return digestOf([
    observations.map((item) => [item.observationId ?? null, contentOf(item)]),
    [input.clearStmBetween ?? false, learnAfterEach, learnAtEnd],
  ]);
}

export type MemoryRule = Pick<Retention, "events" | "accumulated">;

/** What is remembered of a sequence: enough to answer a repeat, which brings the same observations. */
type RememberedSequence = {
  results: [time: number, stmLength: number, learned: string | null, replayed: boolean][];
  learned: string[];
  finalLearned: string | null;
  initialStmLength: number;
  finalStmLength: number;
  time: number;
};

/** Several observations, and learns among them, as one change: all of it happens or nothing. @throws ServiceError as `observe` */
export function observeSequence(
  sequence: Sequence,
  rule: MemoryRule,
): SessionChange<ObserveSequenceReply> {
  const identity = identityOfAll(sequence);
  const vectors = sequence.observations.flatMap(({ vectorSum }) =>
    vectorSum === undefined ? [] : [vectorSum],
  );
  const { learnAfterEach, learnAtEnd } = sequence;
  return {
    ids: [...listOf(identity?.id), ...givenIds(sequence)],
    weight: sequence.observations.length * (learnAfterEach ? LEARN_WEIGHT : 1),
    parts: (state) =>
      learnAfterEach || learnAtEnd ? PARTS_TO_LEARN : partsToObserve(state, false),
    asks: vectors.length > 0 ? { vectors, predicts: false } : undefined,
    apply(base) {
      const first = recall<RememberedSequence>(base, identity);
      return first === undefined
        ? new SequenceRun(base, sequence, rule).play()
        : replaySequence(base.state, sequence, first);
    },
  };
}

function identityOfAll({ requestId, digest }: Sequence): Identity | undefined {
  return identityOf("sequence", requestId, digest);
}

function givenIds({ observations }: Sequence): Set<string> {
  const given = observations.filter(({ isRemembered }) => isRemembered);
  return new Set(given.map(({ observationId }) => rememberedId("observation", observationId)));
}

/** One sequence on its way through a session (engine.md §11). */
class SequenceRun {
  readonly #initial: SessionState;
  readonly #sequence: Sequence;
  readonly #rule: MemoryRule;
  readonly #base: Base;
  readonly #outcomes: Outcome[] = [];
  readonly #learns: Learn[] = [];
  readonly #learned: string[] = [];
  #delta: SessionDelta = emptyDelta();
  #work = 0;

  constructor(base: Base, sequence: Sequence, rule: MemoryRule) {
    this.#initial = base.state;
    this.#sequence = sequence;
    this.#rule = rule;
    this.#base = { ...base, memory: copyMemory(base.memory) };
  }

  play(): Step<ObserveSequenceReply> {
    const { observations, learnAtEnd } = this.#sequence;
    const own = new Map<string, JsonValue>();
    const before = this.#base.seen;
    // In front of what was seen before rather than a copy of it: that may be much, and sequences many.
    this.#base.seen = {
      has: (id) => own.has(id) || before.has(id),
      get: (id) => own.get(id) ?? before.get(id),
    } satisfies Seen;
    const results = observations.map((observation, i) => {
      if (this.#sequence.clearStmBetween && i > 0) this.#clearStm();
      return this.#observe(observation, own);
    });
    const finalLearned = learnAtEnd && results.length > 0 ? this.#learn() : null;
    const reply = sequenceReply(this.#initial, results, {
      learned: this.#learned,
      finalLearned,
      initialStmLength: this.#initial.stmLength,
      finalStmLength: this.#base.state.stmLength,
      time: this.#base.state.time,
      replayed: false,
    });
    const identity = identityOfAll(this.#sequence);
    const outcome = identity && remember(identity, rememberSequence(reply));
    return {
      state: this.#base.state,
      delta: results.length === 0 ? undefined : this.#delta,
      outcomes: [...this.#outcomes, ...listOf(outcome)],
      learns: this.#learns,
      reply,
    };
  }

  #observe(observation: Observation, own: Map<string, JsonValue>): ObserveReply {
    const step = applyObservation(this.#base, observation, { ...this.#rule, predicts: false });
    this.#take(step);
    for (const outcome of step.outcomes) {
      own.set(outcome.id, outcome.reply);
      this.#outcomes.push(outcome);
    }
    // What a repeated observation led to has happened with the first.
    if (this.#sequence.learnAfterEach && !step.reply.replayed) this.#learn();
    if (step.reply.learned !== null && !step.reply.replayed) this.#learned.push(step.reply.learned);
    return {
      ...step.reply,
      stmLength: step.reply.replayed ? step.reply.stmLength : this.#base.state.stmLength,
    };
  }

  /** Gives the name learned; null when there was nothing to learn, or one symbol only. */
  #learn(): string | null {
    if (this.#base.state.stmLength === 0) return null;
    const step = applyLearn(this.#base);
    this.#take(step);
    if (step.reply !== null) this.#learned.push(step.reply);
    return step.reply;
  }

  #clearStm(): void {
    this.#take({
      state: { ...this.#base.state, stmLength: 0 },
      delta: { ...emptyDelta(), clearsStm: true },
      learns: [],
    });
  }

  #take({ state, delta, learns }: Pick<Step<unknown>, "state" | "delta" | "learns">): void {
    this.#base.state = state;
    for (const learn of learns) {
      this.#learns.push(learn);
      this.#work += workOf(learn);
      refuseOver("learnedSymbols", this.#work);
    }
    if (delta === undefined) return;
    applyDelta(this.#base.memory, delta, this.#rule);
    this.#delta = joinDeltas(this.#delta, delta);
  }
}

type SequenceEnd = Omit<ObserveSequenceReply, "sessionId" | "nodeId" | "results">;

function sequenceReply(
  { sessionId, nodeId }: SessionState,
  results: ObserveReply[],
  end: SequenceEnd,
): ObserveSequenceReply {
  return { sessionId, nodeId, results, ...end };
}

function rememberSequence(reply: ObserveSequenceReply): RememberedSequence {
  const { learned, finalLearned, initialStmLength, finalStmLength, time } = reply;
  const results = reply.results.map((item): RememberedSequence["results"][number] => [
    item.time,
    item.stmLength,
    item.learned,
    item.replayed,
  ]);
  return { results, learned, finalLearned, initialStmLength, finalStmLength, time };
}

function replaySequence(
  state: SessionState,
  sequence: Sequence,
  { results, ...end }: RememberedSequence,
): Step<ObserveSequenceReply> {
  const replies = results.map(([time, stmLength, learned], position) =>
    observeReply(
      state,
      { observationId: sequence.observations[position]?.observationId ?? "" },
      { remembered: [time, stmLength, learned], replayed: true },
    ),
  );
  return replayStep(state, sequenceReply(state, replies, { ...end, replayed: true }));
}
