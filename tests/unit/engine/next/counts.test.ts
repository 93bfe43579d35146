import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { PairIds } from "@kato-rpc/server/engine/next/pair-ids.ts";
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

describe("numbers of pairs", () => {
  test("are those of a map, in the order in which pairs came", () => {
    const number = fc.oneof(fc.nat(30), fc.integer({ min: 2 ** 31, max: 2 ** 32 - 1 }));

    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { maxLength: 400 }), (pairs) => {
        const ids = new PairIds();
        const expected = new Map<string, number>();
        for (const [first, second] of pairs) {
          const key = `${first} ${second}`;
          const id = expected.get(key) ?? expected.size;
          expected.set(key, id);
          expect(ids.intern(first, second)).toBe(id);
        }
        expect(ids.size).toBe(expected.size);
      }),
    );
  });
});
