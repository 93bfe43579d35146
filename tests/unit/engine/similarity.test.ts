import { describe, expect, test } from "vitest";

import { matchFuzzily } from "@kato-rpc/server/engine/fuzzy-tokens.ts";
import { matchingBlocks } from "@kato-rpc/server/engine/matching-blocks.ts";
import { findExtras, findMissing, segmentEvents } from "@kato-rpc/server/engine/segmentation.ts";
import {
  characterSimilarity,
  commonSubsequenceLength,
  joinedCodePoints,
  tokenRatio,
  tokenSimilarity,
} from "@kato-rpc/server/engine/similarity.ts";

const letters = (text: string): string[] => text.split("");

describe("similarity", () => {
  test("in tokens goes the way over 100", () => {
    expect(tokenSimilarity(1, 3)).toBe(0.6666666666666665);
    expect(tokenRatio(1, 3)).toBe(0.6666666666666666);
  });

  test("differs between the two forms for 153 pairs up to 60 symbols", () => {
    let different = 0;
    for (let total = 2; total <= 60; total += 1) {
      for (let common = 1; common <= total / 2; common += 1) {
        if (tokenSimilarity(common, total) !== tokenRatio(common, total)) different += 1;
      }
    }

    expect(different).toBe(153);
  });

  test("in tokens takes the longest common subsequence, not the matching blocks", () => {
    const [pattern, state] = [letters("ABCBDAB"), letters("BDCABA")];

    const common = commonSubsequenceLength(pattern, state);

    expect(common).toBe(4);
    expect(tokenSimilarity(common, 13)).toBe(0.6153846153846154);
  });

  test("in characters subtracts a distance", () => {
    const pattern = joinedCodePoints(["apple", "banana", "cherry"]);
    const state = joinedCodePoints(["apple", "banana"]);
    const common = commonSubsequenceLength(pattern, state);

    expect(characterSimilarity(common, pattern.length + state.length)).toBe(0.7741935483870968);
    expect(characterSimilarity(1, 10)).toBe(0.19999999999999996);
    expect(characterSimilarity(0, 0)).toBe(1);
  });

  test("in characters counts code points", () => {
    expect(joinedCodePoints(["😀", "a"])).toEqual(["😀", " ", "a"]);
  });
});

describe("matching blocks", () => {
  // prediction.md §5.1
  test.each([
    { a: "ABCABD", b: "ABDABC", blocks: [[0, 3, 3]] },
    { a: "ABAB", b: "BABA", blocks: [[0, 1, 3]] },
    {
      a: "XAYBZ",
      b: "AB",
      blocks: [
        [1, 0, 1],
        [3, 1, 1],
      ],
    },
    { a: "AAB", b: "AAAB", blocks: [[0, 1, 3]] },
    { a: "ABCD", b: "CDAB", blocks: [[0, 2, 2]] },
    {
      a: "ABXCD",
      b: "ABCD",
      blocks: [
        [0, 0, 2],
        [3, 2, 2],
      ],
    },
    {
      a: "ABCBDAB",
      b: "BDCABA",
      blocks: [
        [0, 3, 2],
        [5, 5, 1],
      ],
    },
    { a: "ABC", b: "XYZ", blocks: [] },
    { a: "", b: "A", blocks: [] },
  ])("of $a and $b are $blocks", ({ a, b, blocks }) => {
    const found = matchingBlocks(letters(a), letters(b));

    expect(found.map(({ inA, inB, length }) => [inA, inB, length])).toEqual(blocks);
  });
});

describe("fuzzy matching", () => {
  test("gives the observed spelling, the expected one and how alike they are", () => {
    const pattern = ["apple", "banana", "cherry", "date", "elderberry"];

    const { matches, anomalies } = matchFuzzily(pattern, ["apple", "bannana", "chery"], 0.85);

    expect(matches).toEqual(["apple", "bannana", "chery"]);
    expect(anomalies).toEqual([
      { observed: "bannana", expected: "banana", similarity: 0.923076923076923 },
      { observed: "chery", expected: "cherry", similarity: 0.9090909090909091 },
    ]);
  });

  test("takes the first of the pattern's symbols that are equally alike, for several of the state", () => {
    const { matches, anomalies } = matchFuzzily(["abx", "aby"], ["abz", "abz", "q"], 0.5);

    expect(matches).toEqual(["abz", "abz"]);
    expect(anomalies.map(({ expected }) => expected)).toEqual(["abx", "abx"]);
  });
});

describe("segmentation", () => {
  test("brings the last past event back when it has the first match, even elsewhere", () => {
    const events = [["a"], ["a"], ["b"], ["b"]];

    const segments = segmentEvents(events, { pastSymbols: 1, presentSymbols: 2 }, "a");

    expect(segments).toEqual({ past: [], present: [["a"], ["a"], ["b"]], future: [["b"]] });
  });

  test("brings back an event that is partly past", () => {
    const events = [
      ["a", "b"],
      ["b", "c"],
    ];

    const segments = segmentEvents(events, { pastSymbols: 1, presentSymbols: 2 }, "b");

    expect(segments).toEqual({ past: [], present: events, future: [] });
    expect(findMissing(segments.present, ["b", "c"])).toEqual([["a"], []]);
  });

  test("leaves the past alone when the first match is spelled otherwise", () => {
    const segments = segmentEvents(
      [["a", "b"], ["c"]],
      { pastSymbols: 1, presentSymbols: 2 },
      "bb",
    );

    expect(segments).toEqual({ past: [["a", "b"]], present: [["c"]], future: [] });
  });

  test("lists extras per event of short-term memory, by membership alone", () => {
    expect(findExtras([["a", "x"], ["a"], ["y"]], [["a"], ["b"]])).toEqual([["x"], [], ["y"]]);
  });
});
