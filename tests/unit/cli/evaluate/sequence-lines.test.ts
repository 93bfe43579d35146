import { describe, expect, it } from "vitest";
import { isSpmf, readSpmf, readTokens } from "../../../../server/cli/evaluate/sequence-lines.ts";

describe("a line of a sequence file", () => {
  it.each([
    ["1 -1 2 -1 -2", [["1"], ["2"]]],
    ["b a -1 c -1 -2", [["a", "b"], ["c"]]],
    ["1 -1 2 -2", [["1"], ["2"]]],
    ["  7 -1\t-2 ", [["7"]]],
    ["-1 -2", undefined],
    ["@ITEM=1=apple", undefined],
    ["# a remark", undefined],
    ["", undefined],
  ])("of SPMF: %j", (text, events) => {
    expect(readSpmf(text, 1)).toEqual(events);
  });

  it.each(["1 -1 2 -1", "1 -1 -2 2 -1 -2"])("of SPMF must end in its only -2: %j", (text) => {
    expect(() => readSpmf(text, 7)).toThrow("line 7: a sequence ends in -2");
  });

  it.each([
    ["open close", [["open"], ["close"]]],
    ["  open\tclose ", [["open"], ["close"]]],
    [" ", undefined],
  ])("with events apart by blanks: %j", (text, events) => {
    expect(readTokens(text, 1)).toEqual(events);
  });

  it.each([
    ["1 -1 2 -1 -2", true],
    ["1 -1 2 -2 ", true],
    ["@CONVERTED_FROM_TEXT", false],
    ["1 -1 2", false],
    ["open close", false],
    ["case,activity,timestamp", false],
  ])("is known as one of SPMF: %j %s", (text, expected) => {
    expect(isSpmf(text)).toBe(expected);
  });
});
