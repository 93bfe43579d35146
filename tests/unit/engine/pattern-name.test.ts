import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  parsePatternName,
  patternHash,
  patternName,
} from "@kato-rpc/server/engine/pattern-name.ts";
import { eventsText, valueText } from "@kato-rpc/server/engine/python-text.ts";
import { isPrintable } from "@kato-rpc/server/engine/unicode-13.ts";
import type { JsonValue } from "@kato-rpc/shared/observation.ts";

/** engine.md §6.1 */
const NAMED: { events: string[][]; text: string; hash: string }[] = [
  {
    events: [["a"], ["b"]],
    text: "[['a'], ['b']]",
    hash: "76d7efca2e96cb5eeddf4e06ac96a0f424630135",
  },
  { events: [["a", "b"]], text: "[['a', 'b']]", hash: "395314cc2f2880a00c3e6e11f1e02d8b8c45a0e4" },
  { events: [["", "a"]], text: "[['', 'a']]", hash: "31c71904ec0efc318765afed5bb16851e2ea12b2" },
  {
    events: [["it's"], ["b"]],
    text: `[["it's"], ['b']]`,
    hash: "c1fb2cb947c025a25df1e665d0d7e99dcba9ee46",
  },
  {
    events: [['say "hi"'], ["b"]],
    text: `[['say "hi"'], ['b']]`,
    hash: "507f22f49f6db7f0811a53dbeb7ab69ed3910732",
  },
  {
    events: [[`it's "x"`], ["b"]],
    text: String.raw`[['it\'s "x"'], ['b']]`,
    hash: "21226bc0d06629bc5d4d6a18080e44d5c0d6815a",
  },
  {
    events: [["a\\b"], ["c"]],
    text: String.raw`[['a\\b'], ['c']]`,
    hash: "928fef07414415b75a4768ca886c27dd52bfd169",
  },
  {
    events: [
      ["tab\t", "nl\n"],
      ["nul\0", "del\u007f"],
    ],
    text: String.raw`[['tab\t', 'nl\n'], ['nul\x00', 'del\x7f']]`,
    hash: "93be293bead7d2798c5dc078d2517574e8037635",
  },
  {
    events: [["é", "日本"], ["😀"]],
    text: "[['é', '日本'], ['😀']]",
    hash: "37c7f60cde1f9831d4f2a817adbd4982b722803b",
  },
  {
    events: [
      ["\u00a0", "\u200b"],
      ["\u2028", "\u{e0001}"],
    ],
    text: String.raw`[['\xa0', '\u200b'], ['\u2028', '\U000e0001']]`,
    hash: "aa8574235d8d5c0d7888f906179694b2f39652ab",
  },
  {
    events: [["VCTR|abc", "x"], ["y"]],
    text: "[['VCTR|abc', 'x'], ['y']]",
    hash: "76b9114e1da5678a4d6abfea5d902faf44690ca6",
  },
];

describe("the name of a pattern", () => {
  test.each(NAMED)("is made of $text", ({ events, text, hash }) => {
    expect(eventsText(events)).toBe(text);
    expect(patternHash(events)).toBe(hash);
  });

  test("is read back with and without its prefix, and from nothing else", () => {
    const hash = patternHash([["a", "b"]]);

    expect(parsePatternName(patternName(hash))).toBe(hash);
    expect(parsePatternName(hash)).toBe(hash);
    expect(parsePatternName(`PTRN|${hash}0`)).toBe(undefined);
    expect(parsePatternName(hash.toUpperCase())).toBe(undefined);
    expect(parsePatternName("PTRN|")).toBe(undefined);
  });

  test("tells apart any two lists of events", () => {
    const events = fc.array(fc.array(fc.string({ unit: "binary" }), { maxLength: 2 }), {
      maxLength: 3,
    });

    fc.assert(
      fc.property(events, events, (first, second) => {
        const isSame = JSON.stringify(first) === JSON.stringify(second);
        expect(eventsText(first) === eventsText(second)).toBe(isSame);
      }),
    );
  });
});

describe("printable characters", () => {
  test("are those of Unicode 13, whatever newer ones the runtime knows", () => {
    const ofRuntime = /[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/u;
    let unknownThen = 0;
    for (let codePoint = 0x80; codePoint <= 0x10ffff; codePoint += 1) {
      const isInRuntime = ofRuntime.test(String.fromCodePoint(codePoint));
      if (isPrintable(codePoint) && !isInRuntime) expect.fail(codePoint.toString(16));
      if (!isPrintable(codePoint) && isInRuntime) unknownThen += 1;
    }

    // The size of appendix A, made with Unicode 17; a newer one only adds.
    expect(unknownThen).toBeGreaterThanOrEqual(15_933);
  });

  test.each([
    { name: "first of a range of appendix A", codePoint: 0x870, printable: false },
    { name: "last of a range of appendix A", codePoint: 0x88f, printable: false },
    {
      name: "just after it, a format character since Unicode 14",
      codePoint: 0x890,
      printable: false,
    },
    { name: "just before it, unassigned", codePoint: 0x86f, printable: false },
    { name: "a single one of appendix A", codePoint: 0x61d, printable: false },
    { name: "its neighbour", codePoint: 0x61e, printable: true },
    { name: "the last of appendix A", codePoint: 0x33479, printable: false },
    { name: "soft hyphen", codePoint: 0xad, printable: false },
    { name: "private use", codePoint: 0xe000, printable: false },
    { name: "an emoji of Unicode 13", codePoint: 0x1fad6, printable: true },
    { name: "an emoji of Unicode 14", codePoint: 0x1fad7, printable: false },
    { name: "the last code point", codePoint: 0x10ffff, printable: false },
  ])("$name: $codePoint", ({ codePoint, printable }) => {
    expect(isPrintable(codePoint)).toBe(printable);
  });
});

describe("the text of a metadata value", () => {
  test.each<{ value: JsonValue; text: string }>([
    { value: "t'1", text: "t'1" },
    { value: true, text: "True" },
    { value: false, text: "False" },
    { value: null, text: "None" },
    { value: 7, text: "7" },
    { value: -0, text: "0" },
    { value: 123456789012, text: "123456789012" },
    { value: 45.67, text: "45.67" },
    { value: -2.5, text: "-2.5" },
    { value: 0.0001, text: "0.0001" },
    { value: 0.00001, text: "1e-05" },
    { value: 1.5e-7, text: "1.5e-07" },
    { value: 1e-100, text: "1e-100" },
    { value: 1e300, text: "1e+300" },
    { value: -1.25e30, text: "-1.25e+30" },
    { value: [1, "x", null], text: "[1, 'x', None]" },
    { value: [], text: "[]" },
    { value: { k: "it's", n: [1, 2.5, true] }, text: `{'k': "it's", 'n': [1, 2.5, True]}` },
    { value: JSON.parse('{"__proto__": "\\n"}') as JsonValue, text: "{'__proto__': '\\n'}" },
  ])("$text", ({ value, text }) => {
    expect(valueText(value)).toBe(text);
  });
});
