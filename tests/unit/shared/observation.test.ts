import { deepStrictEqual } from "node:assert";
import { describe, expect, it } from "vitest";
import { emotivesSchema, metadataSchema, observationSchema } from "@kato-rpc/shared/observation.ts";

describe("maps whose keys users choose", () => {
  const text = '{"__proto__":1,"constructor":2,"":3,"toString":4}';

  it.each([
    ["emotives", emotivesSchema],
    ["metadata", metadataSchema],
  ])("become objects without prototype, with every key: %s", (_, schema) => {
    const read = schema.parse(JSON.parse(text));

    expect(Object.getPrototypeOf(read)).toBe(null);
    expect(JSON.stringify(read)).toBe(text);
  });

  it("are refused by what they are, not read as empty", () => {
    for (const value of [null, 1, "text", [], new Date(), new Map(), new URL("http://kato")]) {
      expect(emotivesSchema.safeParse(value).success).toBe(false);
      expect(metadataSchema.safeParse(value).success).toBe(false);
    }
  });

  it("do not share objects with what they were read from at their top", () => {
    const given = { a: 1 };
    const read = metadataSchema.parse(given);

    read["b"] = 2;

    expect(given).toEqual({ a: 1 });
  });

  it("tell the path of what is wrong", () => {
    const { error } = metadataSchema.safeParse({ a: { "b.c": [1, Number.NaN] } });

    expect(error?.issues.map(({ path }) => path)).toEqual([["a", "b.c", 1]]);
  });

  it("are not run through deeper than allowed, cycles included", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`) as object;

    expect(metadataSchema.safeParse(cycle).success).toBe(false);
    expect(metadataSchema.safeParse(deep).success).toBe(false);
  });
});

describe("an observation", () => {
  it("is read as it is", () => {
    const given = {
      strings: ["b", "a", "b", ""],
      vectors: [[1, -0.5], []],
      emotives: { joy: 1e-300 },
      metadata: { any: [null, { json: true }] },
      observationId: "A-z.0_9~:",
    };

    const read = observationSchema.parse(given);

    deepStrictEqual(JSON.parse(JSON.stringify(read)), given);
  });

  it("may be of nothing", () => {
    expect(observationSchema.parse({})).toEqual({});
  });
});
