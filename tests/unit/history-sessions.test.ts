import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  clear,
  configure,
  create,
  get,
  learn,
  observe,
  observed,
  onSession,
  next,
  predict,
  remove,
  sequence,
  stm,
  unanswered,
} from "../support/history/calls.ts";
import { checkSessions } from "../support/history/check-sessions.ts";
import { arbitrarySteps, playSteps } from "../support/history/random-history.ts";
import type { SessionCall } from "../support/history/session-call.ts";
import type { SessionState } from "../support/history/session-model.ts";
import { nameOf, newSession, perform } from "../support/history/session-model.ts";

const [a, b, c] = [["a", "a2"], ["b"], ["c"]];
const AB = nameOf([a, b]);
const ABC = nameOf([a, b, c]);

const first = observe([0, 1], a, { time: 1, stmLength: 1 });
const second = observe([2, 3], b, { time: 2, stmLength: 2 });
const gone = (call: SessionCall) => unanswered(call, "failed", "SESSION_NOT_FOUND");

function rulesBroken(calls: readonly SessionCall[], options = {}): string[] {
  return checkSessions([create(), ...calls], options).map(({ rule }) => rule);
}

describe("a session's history", () => {
  it.each<[string, SessionCall[]]>([
    ["is empty", []],
    [
      "learns, which empties short-term memory and leaves the time",
      [
        first,
        second,
        learn([4, 5], AB),
        stm([6, 7], 2),
        observe([8, 9], c, { time: 3, stmLength: 1 }),
        predict([10, 11], 3),
        next([12, 13], 3),
      ],
    ],
    [
      "learns a single symbol as no pattern",
      [
        observe([0, 1], b, { time: 1, stmLength: 1 }),
        learn([2, 3], null, { frequency: 0 }),
        stm([4, 5], 1),
      ],
    ],
    [
      "is refused a learn of nothing",
      [
        unanswered(learn([0, 1], null), "failed", "EMPTY_STM"),
        observe([2, 3], a, { time: 1, stmLength: 1 }),
      ],
    ],
    [
      "observes a sequence at once",
      [
        first,
        sequence([2, 10], [b, c], {
          results: [observed(2, 2), observed(3, 3)],
          initialStmLength: 1,
        }),
        observe([3, 11], a, { time: 4, stmLength: 4 }),
        stm([12, 13], 4, a, b, c, a),
      ],
    ],
    [
      "learns in a sequence after each and at its end",
      [
        sequence([0, 1], [a, b, a], {
          options: { learnAfterEach: true, learnAtEnd: true },
          results: [observed(1, 0), observed(2, 0), observed(3, 0)],
          learned: [nameOf([a])!, nameOf([a])!],
        }),
        sequence([2, 3], [a, b], {
          options: { learnAtEnd: true },
          results: [observed(4, 1), observed(5, 2)],
          learned: [AB!],
          finalLearned: AB,
          finalStmLength: 0,
        }),
      ],
    ],
    [
      "clears within a sequence what came before",
      [
        first,
        sequence([2, 3], [b, c], {
          options: { clearStmBetween: true },
          initialStmLength: 1,
          results: [observed(2, 2), observed(3, 1)],
        }),
        stm([4, 5], 3, c),
      ],
    ],
    [
      "learns by itself and keeps nothing",
      [
        configure([-1, 0], { maxPatternLength: 2 }),
        observe([0, 1], a, { time: 1, stmLength: 1 }),
        observe([2, 3], b, { time: 2, stmLength: 0, learned: AB }),
        stm([4, 5], 2),
      ],
    ],
    [
      "learns by itself and keeps the last events",
      [
        configure([-1, 0], { maxPatternLength: 3, stmMode: "ROLLING" }),
        first,
        second,
        observe([4, 5], c, { time: 3, stmLength: 2, learned: ABC }),
        stm([6, 7], 3, b, c),
      ],
    ],
    [
      "shows its settings",
      [configure([0, 1], { maxPredictions: 7 }), get([2, 3], 0, { config: { maxPredictions: 7 } })],
    ],
    [
      "ends with a delete, whose retry finds nothing",
      [
        first,
        remove([2, 9], { deleted: false }),
        observe([3, 4], b, { time: 2, stmLength: 2 }),
        gone(get([10, 11], 0)),
        remove([12, 13], { deleted: false }),
      ],
    ],
    [
      "has calls that took effect and then met a delete",
      [unanswered(first, "unknown", "SESSION_NOT_FOUND"), stm([0, 0.5], 1, a), remove([0, 1])],
    ],
    [
      "has an unanswered learn that shows later, or never",
      [
        first,
        second,
        unanswered(learn([4, 5], AB)),
        stm([6, 7], 2, a, b),
        stm([8, 9], 2),
        unanswered(learn([10, 11], AB)),
        observe([12, 13], c, { time: 3, stmLength: 1 }),
      ],
    ],
    [
      "has an unanswered delete",
      [first, unanswered(remove([2, 3])), stm([4, 5], 1, a), gone(stm([6, 7], 0))],
    ],
    [
      "has a sequence of unknown outcome, all of it",
      [unanswered(sequence([0, 1], [a, b], { results: [] })), stm([2, 3], 0), stm([4, 5], 2, a, b)],
    ],
    [
      "repeats an id while a delete is under way",
      [
        observe([0, 1], a, { id: "x", time: 1, stmLength: 1 }),
        remove([2, 6]),
        observe([3, 5], a, { id: "x", time: 1, stmLength: 1, replayed: true }),
      ],
    ],
    [
      "repeats ids",
      [
        unanswered(observe([0, 1], a, { id: "x" })),
        observe([2, 3], b, { time: 2, stmLength: 2 }),
        observe([4, 5], a, { id: "x", time: 1, stmLength: 1, replayed: true }),
        learn([6, 7], AB, { id: "y" }),
        learn([8, 9], AB, { id: "y", replayed: true }),
        stm([10, 11], 2),
      ],
    ],
  ])("is accepted if it %s", (_, calls) => {
    expect(checkSessions([create(), ...calls])).toEqual([]);
  });

  it.each<[string, string, SessionCall[]]>([
    ["a lost observation", "stale-read", [first, second, stm([4, 5], 1, a)]],
    ["an event that is not the one observed", "wrong-content", [first, stm([4, 5], 1, b)]],
    ["a time gap", "gap", [first, observe([2, 3], b, { time: 3, stmLength: 2 })]],
    ["a repeated time", "repeated-time", [first, observe([2, 3], b, { time: 1, stmLength: 1 })]],
    ["a read from the past", "stale-read", [first, second, predict([4, 5], 1)]],
    ["a read from the future", "future-read", [get([-1, -0.5], 1, { stmLength: 1 }), first]],
    ["an observation that took effect twice", "future-read", [first, stm([2, 3], 2, a, a)]],
    [
      "an id answered as new twice",
      "replay",
      [
        observe([0, 1], a, { id: "x", time: 1, stmLength: 1 }),
        observe([2, 3], a, { id: "x", time: 1, stmLength: 1 }),
      ],
    ],
    [
      "an id answered in two ways",
      "replay",
      [
        observe([0, 1], a, { id: "x", time: 1, stmLength: 1 }),
        observe([2, 3], a, { id: "x", time: 2, stmLength: 1, replayed: true }),
      ],
    ],
    [
      "a learn repeated with another frequency",
      "replay",
      [
        first,
        second,
        learn([4, 5], AB, { id: "x" }),
        learn([6, 7], AB, { id: "x", replayed: true, frequency: 2 }),
      ],
    ],
    [
      "a learn that left short-term memory",
      "wrong-length",
      [first, second, learn([4, 5], AB), get([6, 7], 2, { stmLength: 2 })],
    ],
    ["a learn of other events", "wrong-pattern", [first, second, learn([4, 5], ABC)]],
    [
      "a learn of what a later observation brought",
      "wrong-pattern",
      [first, learn([2, 3], AB), observe([4, 5], b, { time: 2, stmLength: 1 })],
    ],
    [
      "a learn that missed an observation acknowledged before",
      "wrong-pattern",
      [first, second, learn([4, 5], nameOf([a])), stm([6, 7], 2)],
    ],
    [
      "a learn that swallowed an observation beside it",
      "wrong-pattern",
      [
        first,
        learn([2, 9], nameOf([a])),
        observe([2, 8], b, { time: 2, stmLength: 2 }),
        stm([10, 11], 2),
      ],
    ],
    ["a learn of nothing acknowledged", "wrong-pattern", [learn([0, 1], AB)]],
    [
      "a learn refused though there was something",
      "wrong-content",
      [first, unanswered(learn([2, 3], AB), "failed", "EMPTY_STM")],
    ],
    [
      "a failed learn that took effect",
      "wrong-length",
      [first, unanswered(learn([2, 3], AB), "failed"), stm([4, 5], 1)],
    ],
    [
      "a learn without reply that took effect twice",
      "wrong-length",
      [
        first,
        unanswered(learn([2, 3], null)),
        get([4, 5], 1),
        observe([6, 7], b, { time: 2, stmLength: 1 }),
        get([8, 9], 2),
      ],
    ],
    [
      "a part of a sequence lost",
      "stale-read",
      [sequence([0, 1], [a, b], { results: [observed(1, 1), observed(2, 2)] }), stm([2, 3], 1, a)],
    ],
    [
      "a part of a sequence of unknown outcome",
      "stale-read",
      [unanswered(sequence([0, 1], [a, b], { results: [] })), stm([2, 3], 1, a)],
    ],
    [
      "a sequence taken apart by another call",
      "gap",
      [
        sequence([0, 9], [a, c], { results: [observed(1, 1), observed(3, 3)] }),
        observe([1, 8], b, { time: 2, stmLength: 2 }),
      ],
    ],
    [
      "a read within a sequence",
      "stale-read",
      [sequence([0, 9], [a, b], { results: [observed(1, 1), observed(2, 2)] }), stm([1, 8], 1, a)],
    ],
    [
      "a sequence with a part in another's place",
      "wrong-content",
      [
        sequence([0, 1], [a, b], { results: [observed(1, 1), observed(2, 2)] }),
        stm([2, 3], 2, b, a),
      ],
    ],
    [
      "a sequence that tells a learn too few",
      "broken-sequence",
      [
        sequence([0, 1], [a, b], {
          options: { learnAtEnd: true },
          results: [observed(1, 1), observed(2, 2)],
          finalStmLength: 0,
        }),
      ],
    ],
    [
      "an automatic learn left out",
      "wrong-length",
      [configure([-1, 0], { maxPatternLength: 2 }), first, second],
    ],
    [
      "an automatic learn too early",
      "wrong-length",
      [
        configure([-1, 0], { maxPatternLength: 3 }),
        first,
        observe([2, 3], b, { time: 2, stmLength: 0, learned: AB }),
      ],
    ],
    ["a clear undone", "future-read", [first, clear([2, 3]), stm([4, 5], 1, a)]],
    ["a setting lost", "wrong-config", [configure([0, 1], { maxPredictions: 7 }), get([2, 3], 0)]],
    [
      "a setting undone by another",
      "wrong-config",
      [configure([0, 1], { maxPredictions: 7 }), configure([2, 3], { recallThreshold: 0.5 })],
    ],
    [
      "a setting from the future",
      "wrong-config",
      [get([0, 1], 0, { config: { maxPredictions: 7 } }), configure([2, 3], { maxPredictions: 7 })],
    ],
    ["a session back after its delete", "resurrected", [first, remove([2, 3]), stm([4, 5], 1, a)]],
    [
      "a session written after its delete",
      "resurrected",
      [first, remove([2, 3]), observe([4, 5], b, { time: 2, stmLength: 2 })],
    ],
    ["a session back as a new one", "resurrected", [first, remove([2, 3]), get([4, 5], 0)]],
    [
      "a session gone and back after an unknown delete",
      "resurrected",
      [first, unanswered(remove([2, 3])), gone(get([4, 5], 0)), stm([6, 7], 1, a)],
    ],
    [
      "an observation repeated after the session's delete",
      "resurrected",
      [
        observe([0, 1], a, { id: "x", time: 1, stmLength: 1 }),
        remove([2, 3]),
        observe([4, 5], a, { id: "x", time: 1, stmLength: 1, replayed: true }),
      ],
    ],
    [
      "an observation lost with the session and answered by a repeat",
      "resurrected",
      [
        unanswered(observe([0, 1], a, { id: "x" })),
        remove([2, 3]),
        observe([4, 5], a, { id: "x", time: 1, stmLength: 1, replayed: true }),
      ],
    ],
    ["two deletes of one session", "resurrected", [remove([0, 1]), remove([2, 3])]],
    ["a session lost", "lost-session", [first, gone(stm([2, 3], 0))]],
    [
      "a delete that refused before it started",
      "lost-session",
      [first, gone(stm([2, 3], 0)), remove([4, 5])],
    ],
    [
      "a reply of another session",
      "misrouted",
      [observe([0, 1], a, { time: 1, stmLength: 1, sessionId: "t" })],
    ],
    [
      "a reply of another node",
      "misrouted",
      [observe([0, 1], a, { time: 1, stmLength: 1, nodeId: "m" })],
    ],
  ])("is rejected for %s (%s)", (_, rule, calls) => {
    expect(rulesBroken(calls)).toEqual([rule]);
  });

  it("is checked session by session", () => {
    const other = onSession("t", [create(), observe([0, 1], b, { time: 2, stmLength: 1 })]);

    const findings = checkSessions([create(), first, ...other]);

    expect(findings).toMatchObject([{ subject: "t", rule: "gap", calls: [other[1]] }]);
  });

  it("is seen through a reply that shows another session's events", () => {
    const other = onSession("t", [
      create(),
      observe([0, 1], b, { time: 1, stmLength: 1 }),
      stm([2, 3], 1, a),
    ]);

    expect(checkSessions([create(), first, ...other])).toMatchObject([
      { subject: "t", rule: "wrong-content" },
    ]);
  });

  it("keeps the newest events only", () => {
    const calls = [first, observe([2, 3], b, { time: 2, stmLength: 1 }), stm([4, 5], 2, b)];

    expect(rulesBroken(calls, { stmLimit: 1 })).toEqual([]);
    expect(rulesBroken(calls)).toEqual(["wrong-length"]);
  });

  it("needs the session's create", () => {
    expect(() => checkSessions([first])).toThrow("session s was never created");
  });
});

/** Changes one thing of one call, which may or may not make the history wrong. */
function tamper(calls: readonly SessionCall[], pick: number, change: number): SessionCall[] {
  const index = pick % calls.length;
  const call = calls[index]!;
  if (call.kind === "create") return [...calls];
  const replaced = (by: object) => calls.with(index, { ...call, ...by });
  const { startedAt, endedAt } = call;
  switch (change % 8) {
    case 0:
      return calls.toSpliced(index, 1);
    case 1:
      return replaced({ startedAt: startedAt - 25, endedAt: endedAt - 25 });
    case 2:
      return replaced({ startedAt: startedAt + 25, endedAt: endedAt + 25 });
    case 3:
      return replaced({ endedAt: Math.max(startedAt, endedAt - 20) });
    case 4:
      return call.outcome === "failed" ? replaced({ outcome: "unknown" }) : [...calls];
    default:
      return call.outcome === "ok"
        ? replaced({ reply: falsify(Object(call.reply) as object, pick, change) })
        : [...calls];
  }
}

/** Another number, another pattern, other events or the opposite in one field of a reply. */
function falsify(reply: object, pick: number, change: number): object {
  const entries = Object.entries(reply).filter(([field]) => field in FALSE);
  const [field, value] = entries[pick % entries.length] ?? [];
  return field === undefined ? reply : { ...reply, [field]: FALSE[field]!(value as never, change) };
}

const FALSE: Record<string, (value: never, change: number) => unknown> = {
  time: (time: number, change) => time + (change % 3) - 1,
  stmLength: (length: number, change) => length + (change % 3) - 1,
  replayed: (replayed: boolean) => !replayed,
  deleted: (deleted: boolean) => !deleted,
  learned: (learned: unknown) => (Array.isArray(learned) ? learned.slice(1) : AB),
  results: (results: object[], change) => results.map((result) => falsify(result, change, change)),
  stm: (stm: unknown[]) => stm.toReversed(),
};

/** Decides by trying every order of the calls, and whether those of unknown outcome happened: for a few calls. */
function isLinearizable(calls: readonly SessionCall[]): boolean {
  const moves = calls
    .filter(({ kind }) => kind !== "create")
    .flatMap(splitRefused)
    .filter((call) => call.outcome !== "failed" || call.refusal !== undefined);
  return hasOrder(moves, newSession({}), new Map());
}

/** A refused call that may have been sent twice: it may have taken effect, and was refused at some moment. */
function splitRefused(call: SessionCall): SessionCall[] {
  if (call.outcome !== "unknown" || call.refusal === undefined) return [call];
  return [
    { ...call, refusal: undefined },
    { ...call, outcome: "failed" },
  ];
}

function hasOrder(
  left: readonly SessionCall[],
  state: SessionState,
  replies: ReadonlyMap<string, object>,
): boolean {
  const certain = left.filter((call) => call.outcome !== "unknown");
  if (certain.length === 0) return true;
  const next = left.filter((call) => certain.every((other) => other.endedAt >= call.startedAt));
  return next.some((call) => {
    const after = makeMove(call, state, replies);
    if (after === undefined) return false;
    const rest = left.filter((other) => other !== call);
    return hasOrder(rest, after.state, after.replies);
  });
}

/** Undefined if the call can't be answered like that in this state. */
function makeMove(call: SessionCall, state: SessionState, replies: ReadonlyMap<string, object>) {
  if (call.outcome !== "ok" && call.refusal !== undefined) {
    const isEmpty = !state.isDeleted && state.stm.length === 0;
    const isTrue = call.refusal === "EMPTY_STM" ? isEmpty : state.isDeleted;
    return isTrue ? { state, replies } : undefined;
  }
  const reply = call.outcome === "ok" ? Object(call.reply) : undefined;
  const id = "id" in call ? `${call.kind} ${call.id}` : "";
  const known = replies.get(id);
  if (known !== undefined && !state.isDeleted) {
    const fits = reply === undefined || (reply.replayed === true && hasFacts(reply, known));
    return fits ? { state, replies } : undefined;
  }
  const step = perform(call, state, 1000);
  if ("refusal" in step || (reply !== undefined && !hasFacts(reply, step.facts))) return undefined;
  if (id === "") return { state: step.state, replies };
  return { state: step.state, replies: new Map(replies).set(id, step.facts) };
}

function hasFacts(reply: object, facts: object): boolean {
  return equals(reply, expect.objectContaining(facts));
}

function equals(actual: unknown, expected: unknown): boolean {
  try {
    expect(actual).toEqual(expected);
    return true;
  } catch {
    return false;
  }
}

describe("a random history", () => {
  it("of a few calls, tampered with or not, is judged as by trying every order", () => {
    const tampers = fc.array(fc.tuple(fc.nat(100), fc.nat(1000)), { maxLength: 3 });
    let rejected = 0;
    fc.assert(
      fc.property(arbitrarySteps({ maxLength: 6, sessions: 1 }), tampers, (steps, tampers) => {
        const calls = tampers.reduce(
          (calls, [pick, change]) => tamper(calls, pick, change),
          playSteps(steps).calls,
        );
        fc.pre(calls.some(({ kind }) => kind === "create"));
        // A frequency is a matter of the node.
        const isRight = checkSessions(calls).length === 0;
        rejected += isRight ? 0 : 1;

        expect(isRight).toBe(isLinearizable(calls));
      }),
      { numRuns: 20_000 },
    );
    expect(rejected).toBeGreaterThan(1_000);
  });
});
