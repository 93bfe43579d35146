import { isDeepStrictEqual } from "node:util";
import type { Deed } from "./deeds.ts";
import { findDeeds, isRead } from "./deeds.ts";
import type { Finding, SessionRule } from "./finding.ts";
import type { Refusal } from "./recorded-call.ts";
import type { SessionCall } from "./session-call.ts";
import type { SessionState } from "./session-model.ts";
import { perform } from "./session-model.ts";

export interface Misfit {
  readonly rule: SessionRule;
  readonly message: string;
}

/** Something with one moment in [earliest, latest], or none if `latest` is Infinity. */
export interface Operation {
  readonly calls: readonly SessionCall[];
  readonly earliest: number;
  readonly latest: number;
  readonly isRead: boolean;
  /** Operations of the same effect have the same text here. */
  readonly effect: string;
  /** The state after it, or why it can't come in this state. */
  apply(state: SessionState): SessionState | Misfit;
}

export function isMisfit(result: SessionState | Misfit): result is Misfit {
  return "rule" in result;
}

/** @param calls those of one session; they stay as they are */
export function findOperations(calls: readonly SessionCall[], stmLimit: number) {
  const { deeds, findings } = findDeeds(calls.filter(({ kind }) => kind !== "create"));
  const operations = [
    ...deeds.map((deed) => operationOf(deed, stmLimit)),
    ...deeds.flatMap(repliesTo),
    ...refusalsIn(calls),
  ];
  const strays = calls.filter(isMisrouted);
  for (const call of strays) {
    const message = "reply names another session or node";
    findings.push({ subject: call.session, rule: "misrouted", message, calls: [call] });
  }
  return { operations, findings } satisfies { operations: Operation[]; findings: Finding[] };
}

function isMisrouted(call: SessionCall): boolean {
  if (call.outcome !== "ok" || typeof call.reply !== "object" || call.reply === null) return false;
  const { sessionId = call.session, nodeId = call.node } = call.reply as {
    sessionId?: string;
    nodeId?: string;
  };
  return sessionId !== call.session || nodeId !== call.node;
}

function operationOf({ call, calls, earliest, latest }: Deed, stmLimit: number): Operation {
  const apply = (state: SessionState) => {
    const step = perform(call, state, stmLimit);
    if ("refusal" in step) return misfitOf(step.refusal);
    const misfit = call.outcome === "ok" ? compare(call, step.facts) : undefined;
    return misfit ?? step.state;
  };
  return { calls, earliest, latest, isRead: isRead(call), effect: effectOf(call), apply };
}

/** A deed has one moment for all its attempts, but each that was answered met the session alive at one of its own. */
function repliesTo({ calls }: Deed): Operation[] {
  const answered = calls.length > 1 ? calls.filter(({ outcome }) => outcome === "ok") : [];
  return answered.map((call) => {
    const { startedAt: earliest, endedAt: latest } = call;
    const apply = (state: SessionState) => {
      return state.isDeleted ? misfitOf("SESSION_NOT_FOUND") : state;
    };
    return { calls: [call], earliest, latest, isRead: true, effect: "reply", apply };
  });
}

function effectOf(call: SessionCall): string {
  const { kind } = call;
  if (kind === "observe") return JSON.stringify([kind, call.event]);
  if (kind === "configure") return JSON.stringify([kind, call.patch]);
  if (kind !== "sequence") return kind;
  const { events, learnAfterEach, learnAtEnd, clearStmBetween } = call;
  return JSON.stringify([kind, events, learnAfterEach, learnAtEnd, clearStmBetween]);
}

/** A refusal reads the session: what it says must have been so while the call was under way. */
function refusalsIn(calls: readonly SessionCall[]): Operation[] {
  return calls.flatMap((call) => {
    const refusal = call.outcome === "ok" ? undefined : call.refusal;
    if (refusal === undefined) return [];
    const { startedAt: earliest, endedAt: latest } = call;
    const apply = (state: SessionState) => readRefusal(refusal, state) ?? state;
    return [{ calls: [call], earliest, latest, isRead: true, effect: refusal, apply }];
  });
}

function readRefusal(refusal: Refusal, state: SessionState): Misfit | undefined {
  if (refusal === "SESSION_NOT_FOUND") {
    const message = "not found, though nothing had deleted it";
    return state.isDeleted ? undefined : { rule: "lost-session", message };
  }
  if (state.isDeleted) return misfitOf("SESSION_NOT_FOUND");
  const message = "told to be empty, which short-term memory was not";
  return state.stm.length === 0 ? undefined : { rule: "wrong-content", message };
}

function misfitOf(refusal: Refusal): Misfit {
  return refusal === "SESSION_NOT_FOUND"
    ? { rule: "resurrected", message: "answered after the session was deleted" }
    : { rule: "wrong-pattern", message: "learned from an empty short-term memory" };
}

const RULES: Readonly<Record<string, SessionRule>> = {
  stm: "wrong-content",
  length: "wrong-length",
  stmLength: "wrong-length",
  learned: "wrong-pattern",
  config: "wrong-config",
};

function compare(call: SessionCall, facts: object): Misfit | undefined {
  const reply = call.outcome === "ok" ? (call.reply as Record<string, unknown>) : {};
  for (const [field, expected] of Object.entries(facts)) {
    const actual = reply[field];
    if (isAlike(actual, expected)) continue;
    const message = `${field} is ${brief(actual)} where ${brief(expected)} is due`;
    return { rule: ruleOf(call, field, Number(actual) < Number(expected)), message };
  }
  return undefined;
}

function ruleOf(call: SessionCall, field: string, isEarlier: boolean): SessionRule {
  if (field === "time" && isRead(call)) return isEarlier ? "stale-read" : "future-read";
  if (call.kind === "sequence") return "broken-sequence";
  if (field === "time") return isEarlier ? "repeated-time" : "gap";
  return RULES[field] ?? "wrong-content";
}

/** Of a list of results only the fields expected count. */
function isAlike(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return false;
    return expected.every((item, index) => isAlike(actual[index], item));
  }
  if (typeof expected !== "object" || expected === null) return isDeepStrictEqual(actual, expected);
  if (typeof actual !== "object" || actual === null) return false;
  return Object.entries(expected).every(([field, value]) =>
    isAlike((actual as Record<string, unknown>)[field], value),
  );
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
