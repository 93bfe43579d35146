import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldsOf, shuffle, splitInThirds } from "../../../../server/cli/evaluate/splits.ts";

describe("a split", () => {
  it.each([
    [3, 2],
    [4, 2],
    [5, 4],
    [3_804, 2_536],
  ])("of %i cases learns the first %i", (count, learned) => {
    const cases = Array.from({ length: count }, (_, i) => i);

    const { training, test } = splitInThirds(cases);

    expect(training).toEqual(cases.slice(0, learned));
    expect(test).toEqual(cases.slice(learned));
  });

  it("into folds predicts every case once, from all others", () => {
    const folds = foldsOf([0, 1, 2, 3, 4, 5, 6], 3);

    expect(folds.map(({ test }) => test)).toEqual([
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ]);
    for (const { training, test } of folds) {
      expect(new Set([...training, ...test])).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    }
  });

  it("is drawn by the seed alone, with every case in it", () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1 }), (items, seed) => {
        const shuffled = shuffle(items, seed);

        expect(shuffle(items, seed)).toEqual(shuffled);
        expect(inOrder(shuffled)).toEqual(inOrder(items));
      }),
    );
    const many = Array.from({ length: 100 }, (_, i) => i);
    expect(shuffle(many, 1)).not.toEqual(many);
    expect(shuffle(many, 1)).not.toEqual(shuffle(many, 2));
  });
});

function inOrder(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}
