import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { effectiveConfig } from "@kato-rpc/shared/session-config.ts";
import type { LearnReply } from "@kato-rpc/shared/session.ts";
import type { LearnOutcome } from "../engine/learning.ts";
import { learnPattern } from "../engine/learning.ts";
import { patternName } from "../engine/pattern-name.ts";
import type { Learn, Outcome, SessionPart } from "../stores/session-store.ts";
import type { Base, SessionChange, Step } from "./session-change.ts";
import { emptyDelta, identityOf, listOf, replayStep } from "./session-change.ts";
import { partOf } from "./session-memory.ts";

/** About what a learn writes for its pattern, symbol by symbol, as many observations do. */
export const LEARN_WEIGHT = 32;

export const PARTS_TO_LEARN: readonly SessionPart[] = ["stm", "emotives", "metadata", "vectors"];

/** With the name learned, or null, how often it has been learned: the store tells that. */
type RememberedLearn = [learned: string | null, frequency: number | null];

/**
 * Learns short-term memory as a pattern, and empties it (engine.md §6).
 *
 * @throws ServiceError INVALID_INPUT with `reason: "EMPTY_STM"`
 */
export function learn(requestId: string | undefined): SessionChange<LearnReply> {
  const id = identityOf("learn", requestId)?.id;
  return {
    ids: listOf(id),
    weight: LEARN_WEIGHT,
    parts: () => PARTS_TO_LEARN,
    finishes: true,
    apply(base): Step<LearnReply> {
      const { state } = base;
      const first = id === undefined ? undefined : base.seen.get(id);
      if (first !== undefined) {
        return replayStep(state, learnReply(state, first as RememberedLearn, true));
      }
      if (partOf(base.memory, "stm").length === 0) {
        throw new ServiceError("INVALID_INPUT", "short-term memory is empty: observe first", {
          sessionId: state.sessionId,
          reason: "EMPTY_STM",
        });
      }
      const { reply: learned, ...step } = applyLearn(base);
      const outcome: Omit<Outcome, "id"> =
        step.learns.length === 0
          ? { reply: [learned, null] satisfies RememberedLearn }
          : { reply: learned, learn: 0 };
      return {
        state: step.state,
        delta: step.delta,
        outcomes: listOf(id).map((given) => ({ id: given, ...outcome })),
        learns: step.learns,
        reply: learnReply(state, [learned, null], false),
        finish: ([frequency = null]) => learnReply(state, [learned, frequency], false),
      };
    },
  };
}

/** Learns what short-term memory holds, which is not empty; gives the pattern's name, or null. */
export function applyLearn({ state, memory, vectors }: Base): Step<string | null> {
  const waiting = partOf(memory, "vectors");
  const outcome = learnPattern({
    events: partOf(memory, "stm"),
    emotives: partOf(memory, "emotives"),
    metadata: partOf(memory, "metadata"),
    persistence: effectiveConfig(state.config).persistence,
    vectors: waiting,
  });
  vectors?.index(waiting);
  return {
    state: { ...state, stmLength: 0 },
    delta: { ...emptyDelta(), clearsStm: true, clearsVectors: true },
    outcomes: [],
    learns: learnsOf(outcome),
    reply: outcome.learned === null ? null : patternName(outcome.learned.hash),
  };
}

/** What a learn does to the node: nothing where there is neither a pattern nor a vector. @throws ServiceError LIMIT_EXCEEDED */
export function learnsOf({ learned, ...outcome }: LearnOutcome): Learn[] {
  if (learned !== null) {
    refuseOver("patternSymbols", learned.length);
    refuseOver("patternCharacters", charactersOf(learned.events));
    refuseOver("learnedSymbols", workOf(learned));
    return [learned];
  }
  const vectors = "vectors" in outcome ? outcome.vectors : null;
  return vectors === null ? [] : [vectors];
}

/** About what a store has to do for a learn, in symbols. */
export function workOf(learn: Learn): number {
  if (learn.kind !== "learn") return learn.vectors.length;
  const emotives = Object.keys(learn.affinity ?? {}).length;
  return learn.length + learn.occurrences.length * emotives;
}

function charactersOf(events: readonly (readonly string[])[]): number {
  let characters = 0;
  for (const event of events) for (const symbol of event) characters += symbol.length;
  return characters;
}

/** @throws ServiceError LIMIT_EXCEEDED for what a store could not take in one step without keeping others waiting */
export function refuseOver(
  limit: "patternSymbols" | "patternCharacters" | "learnedSymbols",
  count: number,
): void {
  const { max, meaning } = LIMITS[limit];
  if (count <= max) return;
  const message = `over a limit: at most ${max} ${meaning}; clear short-term memory, or learn it sooner`;
  throw new ServiceError("LIMIT_EXCEEDED", message, { limit, max });
}

function learnReply(
  { sessionId, nodeId }: Base["state"],
  [learned, frequency]: RememberedLearn,
  replayed: boolean,
): LearnReply {
  return {
    sessionId,
    nodeId,
    learned,
    frequency: frequency ?? 0,
    ...(learned === null ? { reason: "TOO_FEW_SYMBOLS" as const } : {}),
    replayed,
  };
}
