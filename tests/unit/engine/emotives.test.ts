import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { averageEmotives } from "@kato-rpc/server/engine/emotives.ts";
import type { Emotives } from "@kato-rpc/shared/observation.ts";

const name = fc.constantFrom("joy", "fear", "", "7", "__proto__", "constructor", "toString");
const value = fc.double({ noNaN: true, noDefaultInfinity: true });
const emotives = fc.dictionary(name, value, { noNullPrototype: false });

function parse(json: string): Emotives {
  return JSON.parse(json);
}

describe("the average of emotives", () => {
  test("counts only the maps that have the emotive", () => {
    const average = averageEmotives([{ h: 4, s: 2 }, { h: 6 }, { s: 4 }]);

    expect(Object.entries(average)).toEqual([
      ["h", 5],
      ["s", 3],
    ]);
  });

  test("of no maps, and of empty maps, is empty", () => {
    expect(Object.keys(averageEmotives([]))).toEqual([]);
    expect(Object.keys(averageEmotives([{}, {}]))).toEqual([]);
  });

  test("adds up in double precision before it divides", () => {
    expect(averageEmotives([{ joy: 0.8 }, { joy: 0.4 }])["joy"]).toBe((0.8 + 0.4) / 2);
  });

  test("takes any name for a name", () => {
    const average = averageEmotives([
      parse('{"__proto__": 1, "constructor": 2}'),
      parse('{"__proto__": 3, "toString": 4}'),
    ]);

    expect(Object.getPrototypeOf(average)).toBe(null);
    expect(Object.entries(average)).toEqual([
      ["__proto__", 2],
      ["constructor", 2],
      ["toString", 4],
    ]);
  });

  test.each([
    { values: [Number.MAX_VALUE, Number.MAX_VALUE], mean: Number.MAX_VALUE },
    { values: [-Number.MAX_VALUE, -Number.MAX_VALUE], mean: -Number.MAX_VALUE },
    { values: [1e308, 1.5e308], mean: 1.25e308 },
    { values: [1.5e308, 1.5e308, -1.5e308, -1.5e308], mean: 0 },
  ])("of $values stays finite although their sum does not", ({ values, mean }) => {
    expect(averageEmotives(values.map((joy) => ({ joy })))["joy"]).toBe(mean);
  });

  test("has exactly the names given, each between its least and its greatest value", () => {
    fc.assert(
      fc.property(fc.array(emotives), (maps) => {
        const average = averageEmotives(maps);

        expect(new Set(Object.keys(average))).toEqual(new Set(maps.flatMap(Object.keys)));
        for (const [emotive, mean] of Object.entries(average)) {
          const values = maps
            .filter((map) => Object.hasOwn(map, emotive))
            .map((map) => map[emotive]!);
          const slack = Math.max(...values.map(Math.abs)) * 1e-12;
          expect(mean).toBeGreaterThanOrEqual(Math.min(...values) - slack);
          expect(mean).toBeLessThanOrEqual(Math.max(...values) + slack);
        }
      }),
    );
  });

  test("is the sum over the count for each emotive alone", () => {
    const modest = fc.dictionary(name, fc.integer({ min: -1000, max: 1000 }));

    fc.assert(
      fc.property(fc.array(modest), (maps) => {
        for (const [emotive, mean] of Object.entries(averageEmotives(maps))) {
          const having = maps.filter((map) => Object.hasOwn(map, emotive));
          let sum = 0;
          for (const map of having) sum += map[emotive]!;
          expect(mean).toBe(sum / having.length);
        }
      }),
    );
  });
});
