import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../server/content-digest.ts";

/** JSON whose objects have any keys, as callers' metadata do. */
const json = fc.jsonValue({ maxDepth: 4 });

/** The same with the keys of every object in the opposite order. */
function turned(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(turned);
  const entries = Object.entries(value).toReversed();
  const copy: object = Object.create(null);
  for (const [key, item] of entries) {
    Object.defineProperty(copy, key, { value: turned(item), enumerable: true });
  }
  return copy;
}

describe("the digest of content", () => {
  it("is the same whatever the order of keys", () => {
    fc.assert(fc.property(json, (value) => digestOf(turned(value)) === digestOf(value)));
  });

  it("differs between any two values that differ", () => {
    const texts = new Map<string, string>();
    fc.assert(
      fc.property(json, (value) => {
        const digest = digestOf(value);
        const text = JSON.stringify(sorted(value));
        expect(texts.get(digest) ?? text).toBe(text);
        texts.set(digest, text);
      }),
      { numRuns: 2_000 },
    );
    expect(texts.size).toBeGreaterThan(500);
  });

  it.each([
    [
      ["a", "b"],
      ["b", "a"],
    ],
    [["ab"], ["a", "b"]],
    [{ a: 1 }, { a: "1" }],
    [{ a: null }, {}],
    [[[]], [{}]],
    [{ __proto__: null, a: 1 }, JSON.parse('{"__proto__":null,"a":1}')],
  ])("tells %j from %j", (one, other) => {
    expect(digestOf(one)).not.toBe(digestOf(other));
  });

  it("takes a field that is undefined for one that is absent", () => {
    expect(digestOf({ a: 1, b: undefined })).toBe(digestOf({ a: 1 }));
  });
});

/** Entries in place of objects, so that no key can get lost. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return ["array", ...value.map(sorted)];
  const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)] as const);
  return ["object", ...entries.toSorted(([a], [b]) => (a < b ? -1 : 1))];
}
