import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { PairCounts } from "@kato-rpc/server/engine/next/pair-counts.ts";
import { tableCount } from "@kato-rpc/server/engine/next/table-count.ts";

describe("tables", () => {
  test("are one more at each power of two, and none for nothing", () => {
    expect([0, 1, 2, 3, 4, 7, 8, 1023, 1024].map(tableCount)).toEqual([
      0, 1, 2, 2, 3, 3, 4, 10, 11,
    ]);
  });

  test("go on beyond 32 bits", () => {
    expect(tableCount(2 ** 32 - 1)).toBe(32);
    expect(tableCount(2 ** 32)).toBe(33);
    expect(tableCount(2 ** 50)).toBe(51);
  });
});

describe("counts by pairs", () => {
  test("are those of a map, whatever is added and taken away", () => {
    const number = fc.oneof(fc.nat(30), fc.integer({ min: 2 ** 31, max: 2 ** 32 - 1 }));
    const change = fc.tuple(number, number, fc.nat(5));

    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), (changes) => {
        const counts = new PairCounts();
        const expected = new Map<string, number>();
        for (const [first, second, learns] of changes) {
          const key = `${first} ${second}`;
          const before = expected.get(key) ?? 0;
          // Now and then all of it is taken away.
          const by = learns === 0 ? -before : learns;
          expect(counts.add(first, second, by)).toBe(before);
          expected.set(key, before + by);
        }
      }),
    );
  });
});
