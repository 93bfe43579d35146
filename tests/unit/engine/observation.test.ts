import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { processObservation } from "@kato-rpc/server/engine/observation.ts";
import { sortSymbols } from "@kato-rpc/server/engine/symbol-order.ts";
import { vectorName } from "@kato-rpc/server/engine/vector-symbol.ts";

const SORTED = { sortSymbols: true };
const AS_GIVEN = { sortSymbols: false };

describe("the event of an observation", () => {
  test("holds the strings sorted, duplicates kept", () => {
    const processed = processObservation({ strings: ["b", "a", "b", ""], vectors: [] }, SORTED);

    expect(processed).toEqual({ event: ["", "a", "b", "b"], strings: ["", "a", "b", "b"] });
  });

  test("holds the strings as given when sorting is off", () => {
    const processed = processObservation({ strings: ["z", "a"], vectors: [] }, AS_GIVEN);

    expect(processed).toEqual({ event: ["z", "a"], strings: ["z", "a"] });
  });

  test("is empty when nothing was observed", () => {
    const processed = processObservation({ strings: [], vectors: [] }, SORTED);

    expect(processed).toEqual({ event: [], strings: [] });
  });

  test("begins with the name of the vectors' sum, even before strings that sort lower", () => {
    const vectors = [
      [0.5, 1],
      [0.5, 1.1],
    ];

    const processed = processObservation({ strings: ["b", "A"], vectors }, SORTED);

    expect(processed.event).toEqual([vectorName([1, 2.1]), "A", "b"]);
    expect(processed.strings).toEqual(["A", "b"]);
  });

  test("holds one name for an empty vector", () => {
    const processed = processObservation({ strings: [], vectors: [[]] }, SORTED);

    expect(processed.event).toEqual(["VCTR|97d170e1550eee4afc0af065b78cda302a97674c"]);
  });

  test("names the sum for indexing, and its nearest neighbours beside it, all sorted", () => {
    const nearestVectors = (_: readonly number[], count: number) =>
      ["VCTR|z", vectorName([1, 2]), "VCTR|0", "VCTR|1"].slice(0, count);

    const processed = processObservation(
      { strings: ["A"], vectors: [[1, 2]] },
      { ...SORTED, nearestVectors },
    );

    expect(processed.event).toEqual(["VCTR|0", vectorName([1, 2]), "VCTR|z", "A"]);
    expect(processed.vector).toEqual({ name: vectorName([1, 2]), vector: [1, 2] });
  });

  test("is refused for vectors of unequal dimension, a single number included", () => {
    const unequal = { strings: ["a"], vectors: [[1, 2], [3]] };

    expect(() => processObservation(unequal, SORTED)).toThrow(
      expect.objectContaining({ code: "VECTOR_DIMENSION_MISMATCH" }),
    );
  });

  test("is made of new lists, which share nothing with the input or each other", () => {
    const strings = ["b", "a"];

    const processed = processObservation({ strings, vectors: [] }, AS_GIVEN);
    processed.event.push("c");
    processed.strings.push("d");

    expect(strings).toEqual(["b", "a"]);
    expect(processed).toEqual({ event: ["b", "a", "c"], strings: ["b", "a", "d"] });
  });

  test("is the vector symbol and then the strings, whatever they are", () => {
    const input = fc.record({
      strings: fc.array(fc.string({ unit: "binary" })),
      vectors: fc.array(fc.tuple(fc.integer(), fc.integer()), { maxLength: 1 }),
    });

    fc.assert(
      fc.property(input, fc.boolean(), ({ strings, vectors }, isSorted) => {
        const expected = isSorted ? sortSymbols(strings) : strings;

        const processed = processObservation({ strings, vectors }, { sortSymbols: isSorted });

        expect(processed.strings).toEqual(expected);
        expect(processed.event).toEqual([...vectors.map(vectorName), ...expected]);
      }),
    );
  });
});
