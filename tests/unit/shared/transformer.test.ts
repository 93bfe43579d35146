import { deepStrictEqual } from "node:assert";
import * as fc from "fast-check";
import { SuperJSON } from "superjson";
import { describe, expect, it } from "vitest";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { Envelope } from "@kato-rpc/shared/transformer.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";

/** What arrives when an envelope goes over the wire. */
function sent(envelope: unknown): Envelope {
  return parseJson(JSON.stringify(envelope)) as Envelope;
}

function roundTrip(value: unknown): unknown {
  return transformer.deserialize(sent(transformer.serialize(value)));
}

/** Keys that stock superjson can write and read. */
const stockKey = fc
  .oneof(
    fc.constantFrom("", ".", "a.b", "\\", "a\\.b", "\\\\", "0", "toString", "hasOwnProperty"),
    fc.string({ unit: "grapheme", maxLength: 6 }),
  )
  .filter((key) => !["__proto__", "constructor", "prototype"].includes(key));

const anyKey = fc.oneof(fc.constantFrom("__proto__", "constructor", "prototype"), stockKey);

const date = fc.date({ noInvalidDate: true });
const jsonLeaf = fc.oneof(
  fc.constantFrom(null, true, false, ""),
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
);
const special = fc.oneof(
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
  fc.bigInt(),
);

/** Trees of leaves in arrays and objects. */
function tree(leaf: fc.Arbitrary<unknown>, key: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  return fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small", maxDepth: 6, withCrossShrink: true },
      leaf,
      fc.array(tie("tree"), { maxLength: 5 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 5, noNullPrototype: true }),
    ),
  })).tree;
}

describe("the transformer's wire form", () => {
  it("is the value itself for plain JSON, with any key", () => {
    fc.assert(
      fc.property(tree(jsonLeaf, anyKey), (value) => {
        deepStrictEqual(transformer.serialize(value), { json: value });
        deepStrictEqual(roundTrip(value), value);
      }),
    );
  });

  it("keeps dates at any depth below any key", () => {
    fc.assert(
      fc.property(tree(fc.oneof(jsonLeaf, date), anyKey), (value) => {
        deepStrictEqual(roundTrip(value), value);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps NaN, infinities, -0, bigints and undefined items at any depth below any key", () => {
    const leaf = fc.oneof(jsonLeaf, date, special);
    fc.assert(
      fc.property(
        tree(leaf, anyKey),
        fc.array(fc.option(leaf, { nil: undefined })),
        (value, list) => {
          deepStrictEqual(roundTrip({ value, list }), { value, list });
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([[[]], [[-0, new Date(0), 1n]]])(
    "holds null for a date that is none, below any key, beside %o",
    (others) => {
      const none = new Date(Number.NaN);
      const value = [{ ["__proto__"]: none }, none, ...others];
      deepStrictEqual(roundTrip(value), [{ ["__proto__"]: null }, null, ...others]);
    },
  );

  it("is what stock superjson reads", () => {
    const leaf = fc.oneof(jsonLeaf, date, special);
    fc.assert(
      fc.property(tree(leaf, stockKey), (value) => {
        const envelope = sent(transformer.serialize(value));
        deepStrictEqual(SuperJSON.deserialize(envelope as never), value);
      }),
      { numRuns: 300 },
    );
  });

  it("can be what stock superjson writes", () => {
    const leaf = fc.oneof(jsonLeaf, date, special);
    fc.assert(
      fc.property(tree(leaf, stockKey), (value) => {
        deepStrictEqual(transformer.deserialize(sent(SuperJSON.serialize(value))), value);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    [
      "a map",
      new Map<unknown, unknown>([
        ["a", 1],
        [{ b: 2 }, new Date(5)],
      ]),
    ],
    ["a set", new Set([1, "two", new Date(3)])],
    ["a map in a map", { deep: new Map([["a", new Map([["b", [Number.NaN]]])]]) }],
  ])("carries %s, both ways to superjson", (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
    expect(transformer.deserialize(sent(SuperJSON.serialize(value)))).toStrictEqual(value);
    expect(SuperJSON.deserialize(sent(transformer.serialize(value)) as never)).toStrictEqual(value);
  });

  it("is an empty envelope for undefined", () => {
    expect(JSON.stringify(transformer.serialize(undefined))).toBe("{}");
    expect(roundTrip(undefined)).toBe(undefined);
    expect(SuperJSON.deserialize({} as never)).toBe(undefined);
  });

  it("leaves out fields that are undefined", () => {
    const left = { a: 1, b: undefined, nested: { c: undefined, nan: Number.NaN } };

    expect(roundTrip(left)).toStrictEqual({ a: 1, nested: { nan: Number.NaN } });
  });

  it("reads superjson's undefined fields", () => {
    const value = { a: undefined, b: [undefined] };

    expect(transformer.deserialize(sent(SuperJSON.serialize(value)))).toStrictEqual(value);
  });

  it("reads the paths of superjson before it escaped backslashes", () => {
    const old = {
      json: { "a\\": "1970-01-01T00:00:00.005Z" },
      meta: { values: { "a\\": ["Date"] } },
    };

    expect(transformer.deserialize(old)).toStrictEqual({ "a\\": new Date(5) });
  });

  it("keeps objects without prototype apart from `__proto__`", () => {
    const value: Record<string, unknown> = Object.create(null);
    value["__proto__"] = { at: new Date(7), zero: -0 };

    const read = roundTrip({ value }) as { value: object };

    expect(Object.keys(read.value)).toEqual(["__proto__"]);
    expect(Object.getOwnPropertyDescriptor(read.value, "__proto__")?.value).toEqual({
      at: new Date(7),
      zero: -0,
    });
  });
});

describe("an envelope that is none", () => {
  it.each([
    ["null", null],
    ["a text", "text"],
    ["a number", 5],
    ["an array", []],
    ["an object without json", { nodeId: "n" }],
  ])("is INVALID_INPUT: %s", (_, payload) => {
    expect(() => transformer.deserialize(payload)).toThrow(
      expect.objectContaining({ name: "ServiceError", code: "INVALID_INPUT" }),
    );
  });

  it.each([
    ["meta that is no object", 5],
    ["values that are a text", { values: "Date" }],
    ["a path that leads nowhere", { values: { b: ["Date"] } }],
    ["a path into a text", { values: { "a.0": ["Date"] } }],
    ["a path to a prototype", { values: { "__proto__.polluted": ["undefined"] } }],
    ["a path to a constructor", { values: { "constructor.name": ["undefined"] } }],
    ["a path to an array's length", { values: { "list.length": ["undefined"] } }],
    ["an index past the end", { values: { "list.3": ["undefined"] } }],
    ["an unknown type", { values: { a: ["Dote"] } }],
    ["a type that is no text", { values: { a: [7] } }],
    ["a type that does not fit", { values: { list: ["Date"] } }],
    ["a bigint of other characters", { values: { a: ["bigint"] } }],
    ["a class", { values: { a: [["class", "Error"]] } }],
    ["an error", { values: { a: ["Error"] } }],
    ["a regular expression", { values: { a: ["regexp"] } }],
    ["a typed array", { values: { size: [["typed-array", "Float64Array"]] } }],
    ["a map of what are no pairs", { values: { list: ["map"] } }],
  ])("is INVALID_INPUT: %s", (_, meta) => {
    const envelope = { json: { a: "text", list: [1, 2, 3], size: 1e9 }, meta };

    expect(() => transformer.deserialize(envelope)).toThrow(
      expect.objectContaining({ name: "ServiceError", code: "INVALID_INPUT" }),
    );
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("is INVALID_INPUT whatever its meta is", () => {
    const meta = fc.oneof(
      fc.anything({ withNullPrototype: false }),
      fc.record({ values: fc.jsonValue(), v: fc.jsonValue() }, { requiredKeys: [] }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), meta, (json, meta) => {
        const envelope = sent({ json, meta: sent({ json: meta }).json });
        try {
          transformer.deserialize(envelope);
        } catch (error) {
          expect(error).toBeInstanceOf(ServiceError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is INVALID_INPUT when its annotations are nested beyond measure", () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`) as unknown;

    expect(() => transformer.deserialize({ json: { a: 1 }, meta: { values: deep } })).toThrow(
      ServiceError,
    );
  });
});

describe("what an envelope may cost", () => {
  it("is not an array as large as a number says", () => {
    const size = 10_000;
    const json = { many: Array.from({ length: size }, () => 1e9) };
    const paths = json.many.map(
      (_, i) => [`many.${i}`, [["typed-array", "Float64Array"]]] as const,
    );

    // Superjson would reserve 8 GB for each.
    expect(() =>
      transformer.deserialize({ json, meta: { values: Object.fromEntries(paths), v: 1 } }),
    ).toThrow(ServiceError);
  });

  it("is not the tree that shared references unfold into", () => {
    const levels = 30;
    const level = () => ({ left: 0, right: 0 });
    const json = Object.fromEntries(
      Array.from({ length: levels }, (_, i) => [`level-${i}`, level()]),
    );
    const referentialEqualities = Object.fromEntries(
      Array.from({ length: levels - 1 }, (_, i) => [
        `level-${i + 1}`,
        [`level-${i}.left`, `level-${i}.right`],
      ]),
    );

    const read = transformer.deserialize({ json, meta: { referentialEqualities, v: 1 } as never });

    // Unfolded, a text of gigabytes.
    expect(read).toStrictEqual(
      Object.fromEntries(Array.from({ length: levels }, (_, i) => [`level-${i}`, level()])),
    );
  });

  it("is not the square of a set's size", () => {
    const json = { set: Array.from({ length: 20_000 }, () => "1970-01-01T00:00:00.000Z") };
    const dates = json.set.map((_, i) => [`set.${i}`, ["Date"]] as const);
    const values = { set: ["set"], ...Object.fromEntries(dates) };

    // Superjson finds the n-th of a set by walking there.
    expect(() => transformer.deserialize({ json, meta: { values, v: 1 } })).toThrow(ServiceError);
  });
});

describe("a large plain reply", () => {
  const predictions = Array.from({ length: 1_000 }, (_, i) => ({
    type: "prototypical",
    name: `${i}`.padStart(40, "0"),
    frequency: i,
    matches: ["hello", "world"],
    past: [],
    present: [["hello"], ["world"]],
    future: [["how"], ["are"], ["you", `symbol-${i}`]],
    missing: [[], []],
    extras: [[], []],
    anomalies: [],
    emotives: { joy: i / 7, "utility.a": -1 },
    potential: i / 3,
    evidence: 0.4,
    similarity: 0.5714285714285714,
    fragmentation: 0,
    snr: 1,
    confidence: i % 2 === 0 ? 1 : null,
  }));

  it("costs at most twice what plain JSON costs to write", () => {
    const ratio = costRatio(
      () => JSON.stringify(transformer.serialize({ predictions })),
      () => JSON.stringify({ json: { predictions } }),
    );

    expect(ratio).toBeLessThanOrEqual(2);
  });

  it("costs at most twice what plain JSON costs to read", () => {
    const text = JSON.stringify({ json: { predictions } });

    const ratio = costRatio(
      () => transformer.deserialize(JSON.parse(text)),
      () => JSON.parse(text) as unknown,
    );

    expect(ratio).toBeLessThanOrEqual(2);
  });
});

/**
 * How many times the median cost of `plain` that of `measured` is. Rounds alternate, so that noise
 * hits both; of several series the best counts, since a busy machine can only make the ratio worse.
 */
function costRatio(measured: () => unknown, plain: () => unknown): number {
  // The first series only warms the compiler up.
  const ratios = Array.from({ length: 8 }, () => seriesRatio(measured, plain));
  return Math.min(...ratios.slice(1));
}

function seriesRatio(measured: () => unknown, plain: () => unknown): number {
  const measuredMs: number[] = [];
  const plainMs: number[] = [];
  for (let round = 0; round < 15; round++) {
    measuredMs.push(timeOf(measured));
    plainMs.push(timeOf(plain));
  }
  return median(measuredMs) / median(plainMs);
}

function timeOf(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
