/** What a session does and answers when its calls come one by one: the specification that histories are checked by. */
import { isDeepStrictEqual } from "node:util";
import { patternHash, patternName } from "@kato-rpc/server/engine/pattern-name.ts";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import {
  DEFAULT_SESSION_CONFIG,
  effectiveConfig,
  patchConfig,
} from "@kato-rpc/shared/session-config.ts";
import type { Event, Refusal, Stm } from "./recorded-call.ts";
import type { Observed, SequenceOptions, SequenceReply, SessionCall } from "./session-call.ts";

export interface SessionState {
  readonly time: number;
  readonly stm: Stm;
  /** The settings that differ from the defaults. */
  readonly config: SessionConfigPatch;
  readonly isDeleted: boolean;
}

/** `facts` are the fields of the reply that this state decides. */
export type Step =
  | { readonly state: SessionState; readonly facts: object }
  | { readonly refusal: Refusal };

export function newSession(config: SessionConfigPatch): SessionState {
  return { time: 0, stm: [], config: configured({}, config), isDeleted: false };
}

/** @param stmLimit number of newest events that the session keeps */
export function perform(call: SessionCall, state: SessionState, stmLimit: number): Step {
  if (call.kind === "delete") return deleteIn(call, state);
  if (state.isDeleted) return { refusal: "SESSION_NOT_FOUND" };
  switch (call.kind) {
    case "create":
      return { state, facts: {} };
    case "observe": {
      const [next, facts] = observe(state, call.event, stmLimit);
      return { state: next, facts };
    }
    case "sequence": {
      const [next, facts] = observeAll(state, call, stmLimit);
      return { state: next, facts };
    }
    case "learn": {
      if (state.stm.length === 0) return { refusal: "EMPTY_STM" };
      return { state: { ...state, stm: [] }, facts: { learned: nameOf(state.stm) } };
    }
    case "clear":
      return { state: { ...state, time: 0, stm: [] }, facts: {} };
    case "configure": {
      const config = configured(state.config, call.patch);
      return { state: { ...state, config }, facts: { config: effectiveConfig(config) } };
    }
    case "stm": {
      const { stm, time } = state;
      return { state, facts: { time, length: stm.length, stm } };
    }
    case "get": {
      const { time, stm, config } = state;
      const facts = { time, stmLength: stm.length, config: effectiveConfig(config) };
      return { state, facts };
    }
    case "predict":
    case "next":
      return { state, facts: { time: state.time } };
  }
}

function configured(config: SessionConfigPatch, patch: SessionConfigPatch): SessionConfigPatch {
  const entries = Object.entries(patchConfig(config, patch));
  return Object.fromEntries(
    entries.filter(([setting, value]) => {
      const preset = DEFAULT_SESSION_CONFIG[setting as keyof SessionConfigPatch];
      return !isDeepStrictEqual(value, preset);
    }),
  );
}

/** The pattern that these events make; null for a single symbol, which makes none. */
export function nameOf(events: Stm): string | null {
  return events.flat().length < 2 ? null : patternName(patternHash(events));
}

/** A repeat of a delete whose reply was lost finds nothing to delete: only `deleted: true` tells anything. */
function deleteIn(call: SessionCall & { kind: "delete" }, state: SessionState): Step {
  const isTold = call.outcome === "ok" && call.reply.deleted;
  if (state.isDeleted && isTold) return { refusal: "SESSION_NOT_FOUND" };
  return { state: { ...state, isDeleted: true }, facts: {} };
}

function observe(state: SessionState, event: Event, stmLimit: number): [SessionState, Observed] {
  const { maxPatternLength, stmMode } = effectiveConfig(state.config);
  const time = state.time + 1;
  const stm = event.length === 0 ? state.stm : [...state.stm, event].slice(-stmLimit);
  const learns = event.length > 0 && maxPatternLength > 0 && stm.length >= maxPatternLength;
  if (!learns)
    return [
      { ...state, time, stm },
      { time, stmLength: stm.length, learned: null },
    ];

  const keptCount = stmMode === "ROLLING" && stm.length > 1 ? maxPatternLength - 1 : 0;
  const kept = stm.slice(stm.length - keptCount);
  return [
    { ...state, time, stm: kept },
    { time, stmLength: kept.length, learned: nameOf(stm) },
  ];
}

function observeAll(
  before: SessionState,
  sequence: { readonly events: readonly Event[] } & SequenceOptions,
  stmLimit: number,
): [SessionState, SequenceReply] {
  const learned: (string | null)[] = [];
  let state = before;
  const learn = () => {
    if (state.stm.length === 0) return null;
    const name = nameOf(state.stm);
    state = { ...state, stm: [] };
    learned.push(name);
    return name;
  };
  const results = sequence.events.map((event, index) => {
    if (sequence.clearStmBetween && index > 0) state = { ...state, stm: [] };
    const [next, result] = observe(state, event, stmLimit);
    state = next;
    if (sequence.learnAfterEach) learn();
    learned.push(result.learned);
    return { ...result, stmLength: state.stm.length };
  });
  const finalLearned = sequence.learnAtEnd && results.length > 0 ? learn() : null;
  const reply = {
    results,
    learned: learned.filter((name) => name !== null),
    finalLearned,
    initialStmLength: before.stm.length,
    finalStmLength: state.stm.length,
    time: state.time,
  };
  return [state, reply];
}
