import { readFileSync } from "node:fs";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { sumVectors, vectorName } from "@kato-rpc/server/engine/vector-symbol.ts";
import { vectorText } from "@kato-rpc/server/engine/vector-text.ts";
import { ServiceError } from "@kato-rpc/shared/errors.ts";

interface GoldenName {
  id: string;
  vectors: number[][];
  name: string;
  text: string;
}

const goldenFile = new URL("../../../../shared/golden/visible-vector-names.jsonl", import.meta.url);
const goldenNames: GoldenName[] = readFileSync(goldenFile, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

function errorOf(run: () => unknown): ServiceError {
  try {
    run();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error("expected a ServiceError, but nothing was thrown");
}

describe("the golden names", () => {
  test("are all there", () => {
    expect(goldenNames).toHaveLength(47);
  });

  test.each(goldenNames)("has text and name of $id", ({ vectors, name, text }) => {
    const sum = sumVectors(vectors);

    expect(vectorText(sum)).toBe(text);
    expect(vectorName(sum)).toBe(name);
  });
});

describe("the name of a vector", () => {
  test.each([
    { vector: [], sha1: "97d170e1550eee4afc0af065b78cda302a97674c" },
    { vector: [1, 2, 3], sha1: "fe5de4472f7e4d5c9cdd19cadebfa06fe3da8e43" },
    { vector: [0.1, 0.2, 0.3], sha1: "e09ff768f2b2a0f5d5e78932dc977709e8c35f57" },
    { vector: [0.5, -0.5], sha1: "566a428b4fcbaa7b13f8a7d2d32eed51f0013830" },
    { vector: [1e-5, 1], sha1: "db4d58e9dcc12fc54db9cdf0d30e335dd650407e" },
    { vector: [1 / 3, 2 / 3], sha1: "56fab9df37efc757e416483f519f4d388e350603" },
    { vector: [0, 0], sha1: "7fe044153e8812717283b8448617881cce6353de" },
    { vector: [100], sha1: "b267c5f003f5bc986f37cb7105e46442bceadbd2" },
  ])("of $vector is the digest $sha1", ({ vector, sha1 }) => {
    expect(vectorName(vector)).toBe(`VCTR|${sha1}`);
  });

  test("is shared by vectors that agree to eight fraction digits", () => {
    expect(vectorName([1 / 3])).toBe(vectorName([0.33333333]));
  });
});

describe("the sum of vectors", () => {
  test("adds element by element", () => {
    expect(
      sumVectors([
        [0.5, 1],
        [0.5, 1.1],
      ]),
    ).toEqual([1, 2.1]);
  });

  test("adds from left to right", () => {
    expect(sumVectors([[0.1], [0.2], [0.3]])).toEqual([0.1 + 0.2 + 0.3]);
    expect(sumVectors([[1e16], [1], [-1e16]])).toEqual([0]);
  });

  test("of one vector is a copy of it, with its negative zeros", () => {
    const vector = [-0, 1];

    const sum = sumVectors([vector]);

    expect(sum).toEqual([-0, 1]);
    expect(sum).not.toBe(vector);
  });

  test("of no vector, and of empty vectors, is empty", () => {
    expect(sumVectors([])).toEqual([]);
    expect(sumVectors([[], []])).toEqual([]);
  });

  test("leaves the vectors as they were", () => {
    const vectors = [[1], [2]];

    sumVectors(vectors);

    expect(vectors).toEqual([[1], [2]]);
  });

  test("is refused when one vector is longer or shorter, naming both dimensions", () => {
    const refusals = [
      {
        vectors: [
          [1, 2],
          [1, 2, 3],
        ],
        expected: 2,
        actual: 3,
      },
      { vectors: [[1, 2], [3, 4], [1]], expected: 2, actual: 1 },
      { vectors: [[1], [1, 2]], expected: 1, actual: 2 },
      { vectors: [[], [1]], expected: 0, actual: 1 },
    ];

    for (const { vectors, expected, actual } of refusals) {
      const error = errorOf(() => sumVectors(vectors));

      expect(error.code).toBe("VECTOR_DIMENSION_MISMATCH");
      expect(error.details).toEqual({ expected, actual });
    }
  });

  test("is refused when it overflows, naming the element", () => {
    const error = errorOf(() =>
      sumVectors([
        [0, 1e308],
        [0, 1e308],
      ]),
    );

    expect(error.code).toBe("INVALID_INPUT");
    expect(error.message).toContain("element 1 is Infinity");
    expect(error.details.issues).toMatchObject([
      { path: "vectors", rule: "finite", value: "Infinity" },
    ]);
  });

  test("is what adding each column alone gives", () => {
    const element = fc.double({ min: -1e300, max: 1e300, noNaN: true });
    const vectors = fc.integer({ min: 0, max: 6 }).chain((dimension) =>
      fc.array(fc.array(element, { minLength: dimension, maxLength: dimension }), {
        minLength: 1,
      }),
    );

    fc.assert(
      fc.property(vectors, (rows) => {
        const columns = rows[0]!.map((_, index) =>
          rows.map((row) => row[index]!).reduce((total, value) => total + value),
        );
        expect(sumVectors(rows)).toEqual(columns);
      }),
    );
  });
});
