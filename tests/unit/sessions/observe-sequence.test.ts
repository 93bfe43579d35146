import { describe, expect, it } from "vitest";
import { NodeVectors } from "../../../server/sessions/node-vectors.ts";
import type { Sequence } from "../../../server/sessions/observe-sequence.ts";
import { observeSequence } from "../../../server/sessions/observe-sequence.ts";
import { baseOn, observation } from "../../support/sessions.ts";

const RULE = { events: 3, accumulated: 10 };
const PLAIN: Sequence = {
  observations: [],
  clearStmBetween: false,
  learnAfterEach: false,
  learnAtEnd: false,
  requestId: "r",
};

describe("observeSequence", () => {
  function sequence(
    events: string[][],
    { ids, ...fields }: Partial<Sequence> & { ids?: string[] } = {},
  ) {
    const observations = events.map((strings, i) =>
      observation({
        strings,
        observationId: ids?.[i] ?? `made.${i}`,
        isRemembered: ids !== undefined,
      }),
    );
    return observeSequence({ ...PLAIN, observations, ...fields }, RULE);
  }

  it("is one delta of all its events", () => {
    const step = sequence([["a"], ["b"]]).apply(baseOn({ stmLength: 1, time: 1 }));

    expect(step.delta?.events).toEqual([["a"], ["b"]]);
    expect(step.reply).toMatchObject({ initialStmLength: 1, finalStmLength: 3, time: 3 });
    expect(step.reply.results.map(({ time, stmLength }) => [time, stmLength])).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });

  it("clears between its items, though the first still sees what stood before", () => {
    const step = sequence([["a"], ["b"], ["c"]], { clearStmBetween: true }).apply(
      baseOn({ stmLength: 1 }),
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

    const step = change.apply(
      baseOn({ time: 1 }, { seen: new Map([["ofirst", [null, [1, 1, null]]]]) }),
    );

    expect(step.delta?.events).toEqual([["b"]]);
    expect(step.reply.results.map(({ time, replayed }) => [time, replayed])).toEqual([
      [1, true],
      [2, false],
      [2, true],
    ]);
  });

  it("gives the whole first reply when the call is repeated", () => {
    const change = sequence([["a"], ["b"]]);
    const first = change.apply(baseOn({}));
    const seen = new Map(first.outcomes.map(({ id, reply }) => [id, reply]));

    const again = change.apply(baseOn({ time: 9, stmLength: 3 }, { seen }));

    expect(again.delta).toBeUndefined();
    expect(again.reply).toEqual({
      ...first.reply,
      replayed: true,
      results: first.reply.results.map((item) => ({ ...item, replayed: true })),
    });
  });

  it("is refused as a whole when one item is", () => {
    const observations = [[1], [1, 2]].map((vector, i) =>
      observation({
        strings: ["a"],
        vectors: [vector],
        vectorSum: vector,
        observationId: `v${i}`,
      }),
    );
    const asked = observations.flatMap(({ vectorSum = [] }) => [vectorSum]);
    const vectors = new NodeVectors(asked, { dimension: undefined, neighbours: [] });
    const change = observeSequence({ ...PLAIN, observations, learnAfterEach: true }, RULE);

    // The first item's learn makes the node one of vectors of one number.
    expect(() => change.apply(baseOn({}, { memory: EMPTY, vectors }))).toThrow(
      expect.objectContaining({ code: "VECTOR_DIMENSION_MISMATCH" }),
    );
  });

  const EMPTY = { stm: [], emotives: [], metadata: [], vectors: [] };

  it("learns after each item, with all emotives gathered so far", () => {
    const observations = [
      observation({ strings: ["a", "b"], emotives: { joy: 1 }, observationId: "1" }),
      observation({ strings: ["c", "d"], emotives: { joy: 3 }, observationId: "2" }),
    ];
    const change = observeSequence({ ...PLAIN, observations, learnAfterEach: true }, RULE);

    const step = change.apply(baseOn({}, { memory: EMPTY }));

    expect(step.learns).toMatchObject([
      { events: [["a", "b"]], emotives: [{ joy: 1 }], affinity: { joy: 1 } },
      { events: [["c", "d"]], emotives: [{ joy: 1 }, { joy: 3 }], affinity: { joy: 2 } },
    ]);
    expect(step.delta).toMatchObject({ clearsStm: true, events: [] });
    expect(step.reply.results.map(({ stmLength }) => stmLength)).toEqual([0, 0]);
    expect(step.reply.learned).toHaveLength(2);
    expect(step.reply.finalLearned).toBeNull();
  });

  it("learns at the end what stood before the call too", () => {
    const memory = { ...EMPTY, stm: [["before"]] };

    const step = sequence([["a"]], { learnAtEnd: true }).apply(
      baseOn({ stmLength: 1 }, { memory }),
    );

    expect(step.learns).toMatchObject([{ events: [["before"], ["a"]] }]);
    expect(step.reply.learned).toEqual([step.reply.finalLearned]);
    expect(step.reply.finalStmLength).toBe(0);
  });

  it("lists no name for a learn of one symbol", () => {
    const step = sequence([["a"]], { learnAtEnd: true }).apply(baseOn({}, { memory: EMPTY }));

    expect(step.learns).toEqual([]);
    expect(step.reply).toMatchObject({ learned: [], finalLearned: null, finalStmLength: 0 });
  });

  it("leaves the loaded memory as it was", () => {
    const memory = { ...EMPTY, stm: [["before"]] };

    sequence([["a"]], { learnAtEnd: true }).apply(baseOn({ stmLength: 1 }, { memory }));

    expect(memory.stm).toEqual([["before"]]);
  });

  it("tells a repeat what was learned", () => {
    const change = sequence([["a"], ["b"]], { learnAtEnd: true });
    const first = change.apply(baseOn({}, { memory: EMPTY }));
    const seen = new Map(first.outcomes.map(({ id, reply }) => [id, reply]));

    const again = change.apply(baseOn({ time: 9 }, { seen, memory: EMPTY }));

    expect(again.learns).toEqual([]);
    expect(again.reply).toMatchObject({
      learned: first.reply.learned,
      finalLearned: first.reply.finalLearned,
      replayed: true,
    });
  });
});
