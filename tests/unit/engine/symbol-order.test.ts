import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { compareCodePoints, sortSymbols } from "@kato-rpc/server/engine/symbol-order.ts";

/** Few characters, so that random texts share prefixes; both sides of every border between UTF-16 ranges. */
const BORDER_CHARACTERS = [
  "a",
  "b",
  "\u{d7ff}",
  "\u{e000}",
  "\u{ffff}",
  "\u{10000}",
  "\u{10001}",
  "\u{10ffff}",
];
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...BORDER_CHARACTERS), maxLength: 5 }),
  fc.string({ unit: "binary" }),
);
const textWithLoneSurrogates = fc.string({
  unit: fc.constantFrom("a", "\u{d800}", "\u{d801}", "\u{dc00}", "\u{dc01}", "\u{e000}"),
  maxLength: 5,
});

function compareNaively(a: string, b: string): number {
  const pointsA = Array.from(a, (character) => character.codePointAt(0)!);
  const pointsB = Array.from(b, (character) => character.codePointAt(0)!);
  const different = pointsA.findIndex((point, index) => point !== pointsB[index]);
  if (different === -1) return pointsA.length - pointsB.length;
  return pointsA[different]! - (pointsB[different] ?? -1);
}

describe("the order of symbols", () => {
  test.each([
    { given: ["Zoo", "Apple", "apple"], sorted: ["Apple", "Zoo", "apple"] },
    { given: ["10", "2", "1"], sorted: ["1", "10", "2"] },
    { given: ["b", "a", "b", ""], sorted: ["", "a", "b", "b"] },
    { given: ["é", "z", "e\u0301"], sorted: ["e\u0301", "z", "é"] },
    { given: ["😀", "\u{ff21}", "\u{e000}"], sorted: ["\u{e000}", "\u{ff21}", "😀"] },
  ])("puts $given as $sorted", ({ given, sorted }) => {
    expect(sortSymbols(given)).toEqual(sorted);
  });

  test("leaves the list it sorts as it was", () => {
    const symbols = ["b", "a"];

    sortSymbols(symbols);

    expect(symbols).toEqual(["b", "a"]);
  });

  test("is the order of the lists of code points", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(compareNaively(a, b)));
      }),
      { numRuns: 2000 },
    );
  });

  test("is the order of the lists of code points even with lone surrogates", () => {
    fc.assert(
      fc.property(textWithLoneSurrogates, textWithLoneSurrogates, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(compareNaively(a, b)));
      }),
      { numRuns: 2000 },
    );
  });

  test("sorts every list as the naive comparison does", () => {
    fc.assert(
      fc.property(fc.array(text), (symbols) => {
        expect(sortSymbols(symbols)).toEqual(symbols.toSorted(compareNaively));
      }),
    );
  });
});
