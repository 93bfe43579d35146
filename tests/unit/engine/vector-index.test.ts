import { describe, expect, test } from "vitest";

import { VectorIndex } from "@kato-rpc/server/engine/vector-index.ts";

function indexOf(vectors: Record<string, number[]>): VectorIndex {
  const index = new VectorIndex();
  for (const [name, vector] of Object.entries(vectors)) index.add({ name, vector });
  return index;
}

const MISMATCH = expect.objectContaining({
  code: "VECTOR_DIMENSION_MISMATCH",
  details: { expected: 2, actual: 1 },
});

describe("the index of vectors", () => {
  test("gives the nearest first, ties by name", () => {
    const index = indexOf({ far: [9, 9], b: [1, 0], a: [0, 1], same: [0, 0] });

    expect(index.nearest([0, 0], 3)).toEqual(["same", "a", "b"]);
    expect(index.nearest([0, 0], 9)).toEqual(["same", "a", "b", "far"]);
  });

  test("looks up every few hundred vectors whether it is to end", () => {
    const index = indexOf(
      Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`v${i}`, [i]])),
    );
    let calls = 0;

    const found = index.neighbours([0], 2, () => (calls += 1));

    expect(found).toEqual([
      { name: "v0", distance: 0 },
      { name: "v1", distance: 1 },
    ]);
    expect(calls).toBeGreaterThanOrEqual(3);
  });

  test("takes vectors that are equal as 32-bit floats for equal", () => {
    expect(indexOf({ b: [0.1], a: [0.1 + 1e-12] }).nearest([0.1], 2)).toEqual(["a", "b"]);
  });

  test("orders vectors beyond 32-bit floats last, by name", () => {
    expect(indexOf({ b: [1e300], a: [1e300], c: [1] }).nearest([1e300], 3)).toEqual([
      "a",
      "b",
      "c",
    ]);
  });

  test("replaces a vector of the same name", () => {
    const index = indexOf({ a: [5], b: [4] });
    index.add({ name: "a", vector: [0] });

    expect(index.size).toBe(2);
    expect(index.nearest([0], 1)).toEqual(["a"]);
  });

  test("refuses another dimension than its own, and keeps what it has", () => {
    const index = indexOf({ a: [0, 0] });

    expect(() => index.add({ name: "b", vector: [1] })).toThrow(MISMATCH);
    expect(() => index.nearest([1], 1)).toThrow(MISMATCH);
    expect([...index.entries()]).toEqual([{ name: "a", vector: [0, 0] }]);
  });

  test("refuses vectors of unequal dimension among each other", () => {
    const vectors = [
      { name: "a", vector: [1, 2] },
      { name: "b", vector: [1] },
    ];

    expect(() => new VectorIndex().requireOneDimension(vectors)).toThrow(MISMATCH);
  });

  test("takes any dimension again when it was cleared", () => {
    const index = indexOf({ a: [0, 0] });
    index.clear();
    index.add({ name: "b", vector: [1] });

    expect(index.nearest([0], 3)).toEqual(["b"]);
  });

  test("neither holds nor finds the empty vector", () => {
    const index = indexOf({ empty: [], a: [1, 2] });

    expect(index.size).toBe(1);
    expect(index.nearest([], 3)).toEqual([]);
  });
});
