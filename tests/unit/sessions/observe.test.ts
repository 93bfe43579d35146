import { describe, expect, it } from "vitest";
import { observe } from "../../../server/sessions/observe.ts";
import { baseOn, observation } from "../../support/sessions.ts";

const rule = { events: 3, expectedTime: undefined, predicts: false };

describe("observe", () => {
  it("appends the sorted event, advances time and replaces the percept", () => {
    const change = observe(
      observation({ strings: ["b", "a"], emotives: { joy: 1 }, metadata: { k: "v" } }),
      rule,
    );

    const step = change.apply(baseOn({ time: 4, stmLength: 1 }));

    expect(step.delta).toEqual({
      clearsStm: false,
      clearsAccumulators: false,
      clearsVectors: false,
      vectors: [],
      events: [["a", "b"]],
      emotives: [{ joy: 1 }],
      metadata: [{ k: "v" }],
      percept: { strings: ["a", "b"], vectors: [], metadata: { k: "v" } },
    });
    expect(step.reply).toMatchObject({ time: 5, stmLength: 2, learned: null, replayed: false });
    expect(step.state).toMatchObject({ time: 5, stmLength: 2 });
  });

  it("keeps the order of the strings when the session says so", () => {
    const state = baseOn({ config: { sortSymbols: false } });

    const step = observe(observation({ strings: ["b", "a"] }), rule).apply(state);

    expect(step.delta?.events).toEqual([["b", "a"]]);
  });

  it("only advances time and replaces the percept when the observation is empty", () => {
    const step = observe(observation(), rule).apply(baseOn({ stmLength: 2 }));

    expect(step.delta).toMatchObject({ events: [], emotives: [], metadata: [] });
    expect(step.delta?.percept).toEqual({ strings: [], vectors: [], metadata: {} });
    expect(step.reply).toMatchObject({ time: 1, stmLength: 2 });
  });

  it("counts no more events than short-term memory keeps", () => {
    const full = baseOn({ stmLength: 3, time: 9 });

    const step = observe(observation({ strings: ["x"] }), rule).apply(full);

    expect(step.reply).toMatchObject({ time: 10, stmLength: 3 });
  });

  it("gives the first reply and writes nothing when its id was seen", () => {
    const seen = new Map([["oid", ["d", [7, 3, null]]]]);

    const step = observe(observation({ strings: ["x"], digest: "d" }), rule).apply(
      baseOn({ time: 9 }, { seen }),
    );

    expect(step.delta).toBeUndefined();
    expect(step.outcomes).toEqual([]);
    expect(step.reply).toMatchObject({ time: 7, stmLength: 3, replayed: true });
  });

  it("does not look for an id that the service has made itself", () => {
    const seen = new Map([["oid", ["d", [7, 3, null]]]]);

    const step = observe(observation({ strings: ["x"] }), rule).apply(
      baseOn({ time: 9 }, { seen }),
    );

    expect(step.reply).toMatchObject({ time: 10, replayed: false });
  });

  it("refuses another time than the one expected and names the actual one", () => {
    const change = observe(observation({ strings: ["x"] }), { ...rule, expectedTime: 4 });

    expect(() => change.apply(baseOn({ time: 5 }))).toThrow(
      expect.objectContaining({
        code: "TIME_CONFLICT",
        details: { sessionId: "tag-suffix", actualTime: 5 },
      }),
    );
  });

  it("replays a seen id whatever time is expected", () => {
    const change = observe(observation({ digest: "d" }), { ...rule, expectedTime: 4 });

    const step = change.apply(
      baseOn({ time: 5 }, { seen: new Map([["oid", ["d", [5, 0, null]]]]) }),
    );

    expect(step.reply).toMatchObject({ time: 5, replayed: true });
  });

  it("learns all of short-term memory once it is long enough, and keeps the last events when rolling", () => {
    const config = { maxPatternLength: 3, stmMode: "ROLLING" } as const;
    const base = baseOn({ config, stmLength: 2 }, { memory: { stm: [["a"], ["b"]], vectors: [] } });

    const step = observe(observation({ strings: ["c"] }), rule).apply(base);

    expect(step.learns).toMatchObject([
      { kind: "learn", events: [["a"], ["b"], ["c"]], emotives: [], affinity: null },
    ]);
    expect(step.delta).toMatchObject({ clearsStm: true, events: [["b"], ["c"]] });
    expect(step.reply).toMatchObject({ stmLength: 2, learned: expect.stringMatching(/^PTRN\|/) });
    expect(step.outcomes[0]?.reply).toEqual([null, [1, 2, step.reply.learned]]);
  });

  it("asks for predictions on short-term memory as it is before it learns", () => {
    const base = baseOn(
      { config: { maxPatternLength: 2 }, stmLength: 1 },
      { memory: { stm: [["a"]], vectors: [] } },
    );

    const step = observe(observation({ strings: ["b"] }), { ...rule, predicts: true }).apply(base);

    expect(step.question?.stm).toEqual([["a"], ["b"]]);
    expect(step.reply).toMatchObject({ stmLength: 0, predictions: [] });
  });

  it("asks for none while predictions are off, or when nothing was observed", () => {
    const off = baseOn({ config: { processPredictions: false } }, { memory: { stm: [] } });
    const asking = { ...rule, predicts: true };

    const steps = [
      observe(observation({ strings: ["b"] }), asking).apply(off),
      observe(observation(), asking).apply(baseOn({}, { memory: { stm: [] } })),
    ];

    for (const step of steps) {
      expect(step.question).toBeUndefined();
      expect(step.reply.predictions).toEqual([]);
    }
  });

  it("tells predictions again while short-term memory is what it was, and no others later", () => {
    const seen = new Map([["oid", ["d", [4, 1, null, 9]]]]);
    const change = observe(observation({ strings: ["a"], digest: "d" }), {
      ...rule,
      predicts: true,
    });
    const memory = { stm: [["a"]] };

    const soon = change.apply(baseOn({ time: 4, version: 9 }, { seen, memory }));
    // As after `clearStm` and four other observations.
    const later = change.apply(baseOn({ time: 4, version: 14 }, { seen, memory }));

    expect(soon.question?.stm).toEqual([["a"]]);
    expect(later.question).toBeUndefined();
    expect(later.reply).not.toHaveProperty("predictions");
  });
});
