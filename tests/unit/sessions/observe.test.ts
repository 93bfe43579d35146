import { describe, expect, it } from "vitest";
import type { Observation } from "../../../server/sessions/observe.ts";
import { observe, observeSequence } from "../../../server/sessions/observe.ts";
import { sessionState } from "../../support/sessions.ts";

function observation(fields: Partial<Observation> = {}): Observation {
  return {
    strings: [],
    vectors: [],
    emotives: undefined,
    metadata: undefined,
    observationId: "id",
    ...fields,
  };
}

const rule = { stmLimit: 3, expectedTime: undefined };
const nothingSeen = new Map<string, never>();

describe("observe", () => {
  it("appends the sorted event, advances time and replaces the percept", () => {
    const change = observe(
      observation({ strings: ["b", "a"], emotives: { joy: 1 }, metadata: { k: "v" } }),
      rule,
    );

    const step = change.apply(sessionState({ time: 4, stmLength: 1 }), nothingSeen);

    expect(step.delta).toEqual({
      clearsStm: false,
      clearsAccumulators: false,
      events: [["a", "b"]],
      emotives: [{ joy: 1 }],
      metadata: [{ k: "v" }],
      percept: { strings: ["a", "b"], vectors: [], metadata: { k: "v" } },
    });
    expect(step.reply).toMatchObject({ time: 5, stmLength: 2, learned: null, replayed: false });
    expect(step.state).toMatchObject({ time: 5, stmLength: 2 });
  });

  it("keeps the order of the strings when the session says so", () => {
    const state = sessionState({ config: { sortSymbols: false } });

    const step = observe(observation({ strings: ["b", "a"] }), rule).apply(state, nothingSeen);

    expect(step.delta?.events).toEqual([["b", "a"]]);
  });

  it("only advances time and replaces the percept when the observation is empty", () => {
    const step = observe(observation(), rule).apply(sessionState({ stmLength: 2 }), nothingSeen);

    expect(step.delta).toMatchObject({ events: [], emotives: [], metadata: [] });
    expect(step.delta?.percept).toEqual({ strings: [], vectors: [], metadata: {} });
    expect(step.reply).toMatchObject({ time: 1, stmLength: 2 });
  });

  it("counts no more events than short-term memory keeps", () => {
    const full = sessionState({ stmLength: 3, time: 9 });

    const step = observe(observation({ strings: ["x"] }), rule).apply(full, nothingSeen);

    expect(step.reply).toMatchObject({ time: 10, stmLength: 3 });
  });

  it("gives the first reply and writes nothing when its id was seen", () => {
    const seen = new Map([["oid", [7, 3, null]]]);

    const step = observe(observation({ strings: ["x"] }), rule).apply(
      sessionState({ time: 9 }),
      seen,
    );

    expect(step.delta).toBeUndefined();
    expect(step.outcomes).toEqual([]);
    expect(step.reply).toMatchObject({ time: 7, stmLength: 3, replayed: true });
  });

  it("refuses another time than the one expected and names the actual one", () => {
    const change = observe(observation({ strings: ["x"] }), { stmLimit: 3, expectedTime: 4 });

    expect(() => change.apply(sessionState({ time: 5 }), nothingSeen)).toThrow(
      expect.objectContaining({
        code: "TIME_CONFLICT",
        details: { sessionId: "tag-suffix", actualTime: 5 },
      }),
    );
  });

  it("replays a seen id whatever time is expected", () => {
    const change = observe(observation(), { stmLimit: 3, expectedTime: 4 });

    const step = change.apply(sessionState({ time: 5 }), new Map([["oid", [5, 0, null]]]));

    expect(step.reply).toMatchObject({ time: 5, replayed: true });
  });
});

describe("observeSequence", () => {
  function sequence(
    events: string[][],
    fields: { clearStmBetween?: boolean; ids?: string[] } = {},
  ) {
    const observations = events.map((strings, i) =>
      observation({ strings, observationId: fields.ids?.[i] ?? `made.${i}` }),
    );
    const givenIds = new Set(fields.ids);
    const clearStmBetween = fields.clearStmBetween ?? false;
    return observeSequence(
      { observations, givenIds, clearStmBetween, requestId: "r" },
      { stmLimit: 3 },
    );
  }

  it("is one delta of all its events", () => {
    const step = sequence([["a"], ["b"]]).apply(
      sessionState({ stmLength: 1, time: 1 }),
      nothingSeen,
    );

    expect(step.delta?.events).toEqual([["a"], ["b"]]);
    expect(step.reply).toMatchObject({ initialStmLength: 1, finalStmLength: 3, time: 3 });
    expect(step.reply.results.map(({ time, stmLength }) => [time, stmLength])).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });

  it("clears between its items, though the first still sees what stood before", () => {
    const step = sequence([["a"], ["b"], ["c"]], { clearStmBetween: true }).apply(
      sessionState({ stmLength: 1 }),
      nothingSeen,
    );

    expect(step.delta).toMatchObject({
      clearsStm: true,
      clearsAccumulators: false,
      events: [["c"]],
    });
    expect(step.reply.results.map((item) => item.stmLength)).toEqual([2, 1, 1]);
  });

  it("takes an item whose id was seen, or came earlier in the call, only once", () => {
    const change = sequence([["a"], ["b"], ["b"]], { ids: ["first", "second", "second"] });

    const step = change.apply(sessionState({ time: 1 }), new Map([["ofirst", [1, 1, null]]]));

    expect(step.delta?.events).toEqual([["b"]]);
    expect(step.reply.results.map(({ time, replayed }) => [time, replayed])).toEqual([
      [1, true],
      [2, false],
      [2, true],
    ]);
  });

  it("gives the whole first reply when the call is repeated", () => {
    const change = sequence([["a"], ["b"]]);
    const first = change.apply(sessionState(), nothingSeen);
    const seen = new Map(first.outcomes.map(({ id, reply }) => [id, reply]));

    const again = change.apply(sessionState({ time: 9, stmLength: 3 }), seen);

    expect(again.delta).toBeUndefined();
    expect(again.reply).toEqual({
      ...first.reply,
      replayed: true,
      results: first.reply.results.map((item) => ({ ...item, replayed: true })),
    });
  });

  it("is refused as a whole when one item is", () => {
    const change = observeSequence(
      {
        observations: [
          observation({ strings: ["a"], observationId: "good" }),
          observation({ vectors: [[1], [1, 2]], observationId: "bad" }),
        ],
        givenIds: new Set(),
        clearStmBetween: false,
        requestId: "r",
      },
      { stmLimit: 3 },
    );

    expect(() => change.apply(sessionState(), nothingSeen)).toThrow(
      expect.objectContaining({ code: "VECTOR_DIMENSION_MISMATCH" }),
    );
  });
});
