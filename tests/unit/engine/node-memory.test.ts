import { describe, expect, test } from "vitest";

import type { Learning } from "@kato-rpc/server/engine/learning.ts";
import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import { NodeMemory } from "@kato-rpc/server/engine/node-memory.ts";
import { patternHash } from "@kato-rpc/server/engine/pattern-name.ts";

function memoryOf(...learnings: Partial<Learning>[]): NodeMemory {
  const memory = new NodeMemory();
  for (const learning of learnings) learn(memory, learning);
  return memory;
}

function learn(memory: NodeMemory, learning: Partial<Learning>): void {
  const all = { events: [], emotives: [], metadata: [], persistence: 5, vectors: [], ...learning };
  const { learned } = learnPattern(all);
  if (learned !== null) memory.apply(learned);
}

const AB = [["a"], ["b", "a"]];
const BC = [["b"], ["c"]];

describe("a node's memory", () => {
  test("counts patterns and symbols, relearned ones once as members", () => {
    const memory = memoryOf({ events: AB }, { events: AB }, { events: BC });

    expect(memory.pattern(patternHash(AB))?.frequency).toBe(2);
    expect(memory.totals()).toEqual({
      patterns: 2,
      patternFrequencies: 2,
      symbols: 3,
      symbolOccurrences: 8,
    });
    expect(Object.fromEntries(memory.symbols())).toEqual({
      a: { frequency: 4, patternMemberFrequency: 1 },
      b: { frequency: 3, patternMemberFrequency: 2 },
      c: { frequency: 1, patternMemberFrequency: 1 },
    });
  });

  test("adds the average of a learn's emotives to the affinity of each distinct symbol", () => {
    const memory = memoryOf(
      { events: AB, emotives: [{ joy: 0.8 }, { joy: 0.4 }] },
      { events: BC, emotives: [{ joy: 2 }] },
      { events: BC },
    );

    expect(memory.affinity("a")["joy"]).toBeCloseTo(0.6, 12);
    expect(memory.affinity("b")["joy"]).toBeCloseTo(2.6, 12);
    expect(memory.affinity("c")["joy"]).toBe(2);
    expect(Object.keys(memory.affinity("d"))).toEqual([]);
  });

  test("forgets a pattern with all that its learns counted, but not its affinity", () => {
    const memory = memoryOf({ events: BC }, { events: AB, emotives: [{ joy: 1 }] }, { events: AB });

    memory.apply({ kind: "forget", hash: patternHash(AB) });

    expect(memory.pattern(patternHash(AB))).toBe(undefined);
    expect([...memory.symbols()]).toEqual([...memoryOf({ events: BC }).symbols()]);
    expect(memory.totals()).toEqual(memoryOf({ events: BC }).totals());
    expect(memory.affinity("a")["joy"]).toBe(1);
  });

  test("counts a corrected pattern as though it had been learned that often", () => {
    const memory = memoryOf({ events: AB }, { events: BC });

    memory.apply({ kind: "correct", hash: patternHash(AB), frequency: 3, emotives: [{ joy: 1 }] });

    const relearned = memoryOf({ events: AB }, { events: AB }, { events: AB }, { events: BC });
    expect(memory.totals()).toEqual(relearned.totals());
    expect([...memory.symbols()]).toEqual([...relearned.symbols()]);
    expect(memory.pattern(patternHash(AB))).toMatchObject({ frequency: 3, emotives: [{ joy: 1 }] });
  });

  test.each(["forget", "correct"] as const)("refuses to %s a pattern it does not have", (kind) => {
    expect(() => memoryOf().apply({ kind, hash: patternHash(AB) })).toThrow(
      expect.objectContaining({ code: "PATTERN_NOT_FOUND" }),
    );
  });

  test("fixes intrinsic metrics of the patterns it has, and of no later one", () => {
    const later = [["x"], ["y"]];
    const memory = memoryOf({ events: [["s"], ["a", "b"], ["c", "d"], ["e"]] });
    const acf = [["a"], ["c"], ["f"]];
    learn(memory, { events: acf });

    memory.apply({ kind: "finalize" });
    learn(memory, { events: later });

    // prediction.md §11, after finalize-training.
    expect(memory.intrinsicMetrics(patternHash(acf))).toEqual({
      entropy: expect.closeTo(1.584962500721156, 12),
      normalizedEntropy: expect.closeTo(0.5645750340535797, 12),
      globalNormalizedEntropy: expect.closeTo(0.1781035935540111, 12),
    });
    expect(memory.intrinsicMetrics(patternHash(later))).toBe(undefined);
  });

  test("indexes the vectors of a learn, or refuses it and changes nothing", () => {
    const memory = memoryOf({ events: AB, vectors: [{ name: "v", vector: [1, 2] }] });
    const wrong = [{ name: "w", vector: [1] }];

    expect(() => learn(memory, { events: BC, vectors: wrong })).toThrow(
      expect.objectContaining({ code: "VECTOR_DIMENSION_MISMATCH" }),
    );
    expect(memory.totals().patterns).toBe(1);
    expect(memory.vectors.size).toBe(1);
  });

  test("is empty after a clear", () => {
    const memory = memoryOf({
      events: AB,
      emotives: [{ joy: 1 }],
      vectors: [{ name: "v", vector: [1] }],
    });
    memory.apply({ kind: "finalize" });

    memory.apply({ kind: "clear" });

    expect(memory.totals()).toEqual(new NodeMemory().totals());
    expect([...memory.patterns()]).toEqual([]);
    expect(Object.keys(memory.affinity("a"))).toEqual([]);
    expect(memory.intrinsicMetrics(patternHash(AB))).toBe(undefined);
    expect(memory.vectors.size).toBe(0);
  });
});
