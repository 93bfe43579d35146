import type { JsonValue } from "@kato-rpc/shared/observation.ts";
import type {
  Learn,
  Outcome,
  Retention,
  SessionDelta,
  SessionState,
} from "../stores/session-store.ts";
import type { Call } from "./call.ts";
import { workOf } from "./learn.ts";
import type { NodeVectors } from "./node-vectors.ts";
import type { SessionChange, Step } from "./session-change.ts";
import { joinDeltas } from "./session-change.ts";
import type { KnownMemory } from "./session-memory.ts";
import { applyDelta, copyMemory } from "./session-memory.ts";

/** A change on its way, with the caller who waits for it. */
export type PendingChange = {
  change: SessionChange<unknown>;
  call: Call;
  resolve(reply: unknown): void;
  reject(reason: unknown): void;
};

export type Settled =
  | {
      pending: PendingChange;
      step: Step<unknown>;
      /** Where the step's learns begin among those of the fold. */
      firstLearn: number;
    }
  | { pending: PendingChange; refusal: unknown };

/** Changes computed one after another on one state, joined into what one commit writes. */
export type Fold = {
  settled: Settled[];
  state: SessionState;
  memory: KnownMemory;
  delta: SessionDelta | undefined;
  outcomes: Outcome[];
  learns: Learn[];
  /** Of the learns, in symbols. */
  work: number;
  refuses: boolean;
  /** Changes that one commit would not take with the others; nothing is computed of them. */
  left: readonly PendingChange[];
};

/** Symbols that a commit of several changes learns: more would let other sessions wait for the store. */
const WORK_PER_COMMIT = 20_000;

/** What changes are computed on. */
export type KnownSession = {
  state: SessionState;
  memory: KnownMemory;
  seen: ReadonlyMap<string, JsonValue>;
};

/** Computes the changes in order, as many as one commit may take; a refused one does not hinder the others. Leaves `known` as it is. */
export function foldChanges(
  changes: readonly PendingChange[],
  known: KnownSession,
  rule: { retention: Retention; vectors: NodeVectors | undefined },
): Fold {
  // Only a change that follows another asks for what that remembers.
  const seen = changes.length === 1 ? undefined : new Map<string, JsonValue>(known.seen);
  const fold: Fold = {
    settled: [],
    state: known.state,
    memory: copyMemory(known.memory),
    delta: undefined,
    outcomes: [],
    learns: [],
    work: 0,
    refuses: false,
    left: [],
  };
  for (const [i, pending] of changes.entries()) {
    pending.call.sessionId = known.state.sessionId;
    pending.call.nodeId = known.state.nodeId;
    try {
      const { state, memory } = fold;
      const step = pending.change.apply({
        state,
        memory,
        seen: seen ?? known.seen,
        vectors: rule.vectors,
      });
      const work = step.learns.reduce((sum, learn) => sum + workOf(learn), fold.work);
      if (i > 0 && work > WORK_PER_COMMIT) {
        fold.left = changes.slice(i);
        break;
      }
      fold.work = work;
      const firstLearn = fold.learns.length;
      for (const outcome of step.outcomes) {
        seen?.set(outcome.id, outcome.reply);
        fold.outcomes.push(afterLearns(outcome, firstLearn));
      }
      take(fold, step, rule.retention);
      fold.settled.push({ pending, step, firstLearn });
    } catch (refusal) {
      fold.refuses = true;
      fold.settled.push({ pending, refusal });
    }
  }
  return fold;
}

function take(fold: Fold, step: Step<unknown>, retention: Retention): void {
  fold.state = step.state;
  for (const learn of step.learns) fold.learns.push(learn);
  if (step.delta === undefined) return;
  applyDelta(fold.memory, step.delta, retention);
  fold.delta = fold.delta === undefined ? step.delta : joinDeltas(fold.delta, step.delta);
}

function afterLearns(outcome: Outcome, firstLearn: number): Outcome {
  return outcome.learn === undefined ? outcome : { ...outcome, learn: outcome.learn + firstLearn };
}

/** Tells every caller what became of its change. `frequencies`: of the fold's learns. */
export function settle(
  settled: readonly Settled[],
  frequencies: readonly (number | null)[] = [],
): void {
  for (const each of settled) {
    if ("refusal" in each) {
      each.pending.reject(each.refusal);
      continue;
    }
    const { step, firstLearn, pending } = each;
    const { reply, finish, learns } = step;
    pending.resolve(
      finish === undefined
        ? reply
        : finish(frequencies.slice(firstLearn, firstLearn + learns.length)),
    );
  }
}
