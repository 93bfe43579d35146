import { deepStrictEqual } from "node:assert";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";

/** Keys whose JSON begins like other keys, with and without escapes. */
const keys = fc.oneof(
  fc.constantFrom(
    "\\",
    "\n",
    '"',
    "\u0000",
    "\\n",
    "\nX",
    "\\\\",
    "a",
    "__proto__",
    "0",
    "constructor",
  ),
  fc.string({ unit: fc.constantFrom("\\", "n", "\n", '"', "u", "0", "a", "€") }),
);

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    fc.constantFrom(null, true, 0, -1.5e-7, "", '":\\"', "\\", "€😀\n"),
    fc.array(tie("json"), { maxLength: 4 }),
    fc
      .array(fc.tuple(keys, tie("json")), { maxLength: 5 })
      .map((entries) => Object.fromEntries(entries) as object),
  ),
}));

/** Entries at all depths, which comparing objects by their own JSON.parse would not tell. */
function entriesOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(entriesOf);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).map(([key, item]) => [key, entriesOf(item)]);
}

describe("reading JSON", () => {
  it("gives what was written, whatever was read before", () => {
    fc.assert(
      fc.property(json, (value) => {
        deepStrictEqual(entriesOf(parseJson(JSON.stringify(value))), entriesOf(value));
        deepStrictEqual(entriesOf(parseJson(JSON.stringify(value, null, 2))), entriesOf(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(["\n", "\u0000", '"', "\b"])(
    "tells the key %j from a backslash that was read before",
    (key) => {
      JSON.parse('{"a":1,"\\\\":2}');

      expect(Object.keys(parseJson(`{"a":1,${JSON.stringify(key)}:2}`) as object)).toEqual([
        "a",
        key,
      ]);
    },
  );

  it("keeps the last of equal keys, escaped or not, and `__proto__` as any other", () => {
    expect(parseJson('{"\\u0041":1,"B":2,"A":3,"\\u0041":4}')).toEqual({ A: 4, B: 2 });
    expect(Object.entries(parseJson('{"\\u005f_proto__":{"x":1}}') as object)).toEqual([
      ["__proto__", { x: 1 }],
    ]);
  });

  it.each([
    "",
    "\\",
    '{"\\":1}',
    '{"\\x":1}',
    '{"a\\":1}',
    '{"\\u12":1}',
    '"\\',
    '{"\\n" 1}',
    '{"\\n":}',
    '{"\n":1}',
  ])("refuses what is not JSON: %j", (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it("refuses and takes the same texts as JSON.parse", () => {
    const unit = fc.constantFrom('"', "\\", ":", "{", "}", ",", "n", "u0041", " ", "1", "[", "]");
    const attempt = (parse: (text: string) => unknown, text: string) => {
      try {
        return JSON.stringify(parse(text));
      } catch (error) {
        return (error as Error).name;
      }
    };
    const text = fc.oneof(
      fc.string({ unit }),
      fc.string({ unit }).map((inner) => `{"\\n":${inner}}`),
    );
    fc.assert(
      // Keys of one character are what JSON.parse may get wrong.
      fc.property(text, (text) => {
        if (/\\\\"\s*:/.test(text)) return;
        expect(attempt(parseJson, text)).toBe(attempt(JSON.parse, text));
      }),
      { numRuns: 3_000 },
    );
  });

  it("takes long texts of backslashes in their stride", () => {
    const size = 500_000;

    expect(parseJson(`{"\\n":${JSON.stringify("\\".repeat(size))}}`)).toEqual({
      "\n": "\\".repeat(size),
    });
    expect(() => parseJson("\\".repeat(size))).toThrow(SyntaxError);
    expect(() => parseJson('"\\"'.repeat(size / 4))).toThrow(SyntaxError);
    expect(() => parseJson(`{"${"\\n".repeat(size)}`)).toThrow(SyntaxError);
  });
});
