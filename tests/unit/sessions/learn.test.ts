import { describe, expect, it } from "vitest";
import { learn } from "../../../server/sessions/learn.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { baseOn } from "../../support/sessions.ts";

const MEMORY = {
  stm: [["a"], ["b"]],
  emotives: [{ joy: 1 }],
  metadata: [{ book: "one" }],
  vectors: [{ name: "VCTR|x", vector: [1] }],
};

describe("learn", () => {
  it("makes a pattern of short-term memory with emotives, metadata and waiting vectors, and empties it", () => {
    const step = learn("r").apply(baseOn({ stmLength: 2, time: 2 }, { memory: MEMORY }));

    expect(step.learns).toMatchObject([
      {
        kind: "learn",
        events: MEMORY.stm,
        emotives: MEMORY.emotives,
        metadata: { book: ["one"] },
        vectors: MEMORY.vectors,
      },
    ]);
    expect(step.delta).toMatchObject({
      clearsStm: true,
      clearsVectors: true,
      clearsAccumulators: false,
    });
    expect(step.state).toMatchObject({ stmLength: 0, time: 2 });
  });

  it("tells the frequency that the store has counted, and remembers it", () => {
    const step = learn("r").apply(baseOn({ stmLength: 2 }, { memory: MEMORY }));

    expect(step.finish?.([7])).toMatchObject({ frequency: 7, replayed: false });
    expect(step.outcomes).toEqual([{ id: "lr", reply: step.reply.learned, learn: 0 }]);
  });

  it("gives the first reply when it is repeated", () => {
    const seen = new Map([["lr", ["PTRN|x", 7]]]);

    const step = learn("r").apply(baseOn({ stmLength: 2 }, { memory: MEMORY, seen }));

    expect(step).toMatchObject({ delta: undefined, learns: [], outcomes: [] });
    expect(step.reply).toMatchObject({ learned: "PTRN|x", frequency: 7, replayed: true });
  });

  it("refuses an empty short-term memory", () => {
    expect(() => learn("r").apply(baseOn({}, { memory: { ...MEMORY, stm: [] } }))).toThrow(
      expect.objectContaining({
        code: "INVALID_INPUT",
        details: expect.objectContaining({ reason: "EMPTY_STM" }),
      }),
    );
  });

  it("says that one symbol is too few, indexes the vectors and empties short-term memory all the same", () => {
    const memory = { ...MEMORY, stm: [["a"]] };

    const step = learn("r").apply(baseOn({ stmLength: 1 }, { memory }));

    expect(step.learns).toEqual([{ kind: "index-vectors", vectors: MEMORY.vectors }]);
    expect(step.finish?.([null])).toMatchObject({
      learned: null,
      frequency: 0,
      reason: "TOO_FEW_SYMBOLS",
    });
    expect(step.state.stmLength).toBe(0);
  });

  it.each<["patternSymbols" | "learnedSymbols" | "patternCharacters", object]>([
    ["patternSymbols", { stm: Array.from({ length: 26 }, (_, i) => symbols(i * 4_096, 4_096)) }],
    [
      "learnedSymbols",
      {
        stm: [symbols(0, 1_000)],
        emotives: [Object.fromEntries(symbols(0, 250).map((name) => [name, 1]))],
      },
    ],
    ["patternCharacters", { stm: [symbols(0, 2_000).map((name) => name.padEnd(1_000))] }],
  ])("refuses what is over the limit of %s", (limit, fields) => {
    const base = baseOn({ stmLength: 26 }, { memory: { ...MEMORY, ...fields } });

    expect(() => learn("r").apply(base)).toThrow(
      expect.objectContaining({
        code: "LIMIT_EXCEEDED",
        details: { limit, max: LIMITS[limit].max },
      }),
    );
  });
});

function symbols(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `s${first + i}`);
}
