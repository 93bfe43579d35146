import { describe, expect, test } from "vitest";

import { decideAutoLearning } from "@kato-rpc/server/engine/auto-learning.ts";
import { addAffinity, learnPattern, mergeEmotives } from "@kato-rpc/server/engine/learning.ts";
import type { Learning } from "@kato-rpc/server/engine/learning.ts";
import type { LearnedPattern } from "@kato-rpc/server/engine/node-change.ts";
import { patternHash } from "@kato-rpc/server/engine/pattern-name.ts";
import { mergeMetadata, uniteMetadata } from "@kato-rpc/server/engine/pattern-metadata.ts";
import type { Emotives, Metadata } from "@kato-rpc/shared/observation.ts";

function learn(learning: Partial<Learning>): LearnedPattern {
  const outcome = learnPattern({
    events: [["a"], ["b"]],
    emotives: [],
    metadata: [],
    persistence: 5,
    vectors: [],
    ...learning,
  });
  if (outcome.learned === null) throw new Error(outcome.reason);
  return outcome.learned;
}

function values(...list: number[]): Emotives[] {
  return list.map((value) => ({ value }));
}

describe("a learn", () => {
  test("names and measures the pattern", () => {
    const learned = learn({ events: [["b", "a"], ["a"]] });

    expect(learned).toMatchObject({
      hash: patternHash([["b", "a"], ["a"]]),
      events: [["b", "a"], ["a"]],
      length: 3,
      occurrences: [
        ["b", 1],
        ["a", 2],
      ],
      affinity: null,
    });
  });

  test("keeps the newest emotives and averages all of them", () => {
    const learned = learn({ emotives: values(0, 1, 2, 3, 4, 5, 6) });

    expect(learned.emotives).toEqual(values(2, 3, 4, 5, 6));
    expect(Object.entries(learned.affinity ?? {})).toEqual([["value", 3]]);
  });

  test("survives a journey as JSON", () => {
    const vectors = [{ name: "VCTR|x", vector: [0.1] }];
    const metadata: Metadata[] = [JSON.parse('{"__proto__": 1}')];
    const learned = learn({ events: [["__proto__", "x"]], metadata, vectors });

    expect(JSON.stringify(JSON.parse(JSON.stringify(learned)))).toBe(JSON.stringify(learned));
    expect(JSON.stringify(learned.metadata)).toBe('{"__proto__":["1"]}');
  });

  test("of one symbol makes no pattern, but indexes the vectors that waited", () => {
    const one = { events: [["a"]], emotives: [], metadata: [], persistence: 5 };
    const vectors = [{ name: "VCTR|x", vector: [1] }];

    expect(learnPattern({ ...one, vectors: [] })).toEqual({
      learned: null,
      reason: "TOO_FEW_SYMBOLS",
      vectors: null,
    });
    expect(learnPattern({ ...one, vectors })).toMatchObject({
      vectors: { kind: "index-vectors", vectors },
    });
  });

  test("of one event with two symbols makes a pattern", () => {
    expect(learn({ events: [["a", "b"]] }).hash).toBe(patternHash([["a", "b"]]));
  });
});

describe("a relearn", () => {
  test("appends emotives and keeps the newest", () => {
    const merged = mergeEmotives(values(0, 1, 2), learn({ emotives: values(3, 4, 5) }));

    expect(merged).toEqual(values(1, 2, 3, 4, 5));
  });

  test("trims the emotives even if it brings only metadata", () => {
    const learned = learn({ metadata: [{ book: "t1" }], persistence: 2 });

    expect(mergeEmotives(values(1, 2, 3), learned)).toEqual(values(2, 3));
  });

  test("without emotives and metadata leaves the emotives alone", () => {
    expect(mergeEmotives(values(1, 2, 3), learn({ persistence: 2 }))).toEqual(values(1, 2, 3));
  });
});

describe("metadata of a pattern", () => {
  test("is the sorted texts of each key, without repeats", () => {
    const merged = mergeMetadata([{ book: "t2" }, { book: "t1" }, { book: "t2" }, { n: 1 }]);

    expect(Object.entries(merged)).toEqual([
      ["book", ["t1", "t2"]],
      ["n", ["1"]],
    ]);
  });

  test("unites with what is stored, in code point order", () => {
    const united = uniteMetadata({ k: ["\u{1f600}"], old: ["1"] }, { k: ["\ue000", "a"] });

    expect(Object.entries(united)).toEqual([
      ["k", ["a", "\ue000", "\u{1f600}"]],
      ["old", ["1"]],
    ]);
  });
});

describe("affinity", () => {
  test("adds up per emotive", () => {
    const sums = addAffinity(addAffinity({}, { joy: 0.5, fear: -1 }), {
      joy: 0.25,
    });

    expect(Object.entries(sums)).toEqual([
      ["joy", 0.75],
      ["fear", -1],
    ]);
  });

  test("takes any name for a name", () => {
    const average: Emotives = JSON.parse('{"__proto__": 1, "constructor": 2}');

    expect(Object.entries(addAffinity(addAffinity({}, average), average))).toEqual([
      ["__proto__", 2],
      ["constructor", 4],
    ]);
  });

  test("stays finite", () => {
    const huge = { joy: Number.MAX_VALUE, fear: -Number.MAX_VALUE };

    expect({ ...addAffinity(addAffinity({}, huge), huge) }).toEqual(huge);
  });
});

describe("automatic learning", () => {
  const events = [["a"], ["b"], ["c"], ["d"]];

  test.each([
    { maxPatternLength: 0, stmMode: "CLEAR", length: 4, kept: undefined },
    { maxPatternLength: 3, stmMode: "CLEAR", length: 2, kept: undefined },
    { maxPatternLength: 3, stmMode: "CLEAR", length: 3, kept: [] },
    { maxPatternLength: 3, stmMode: "CLEAR", length: 4, kept: [] },
    { maxPatternLength: 3, stmMode: "ROLLING", length: 3, kept: [["b"], ["c"]] },
    { maxPatternLength: 3, stmMode: "ROLLING", length: 4, kept: [["c"], ["d"]] },
    { maxPatternLength: 1, stmMode: "ROLLING", length: 4, kept: [] },
    { maxPatternLength: 1, stmMode: "ROLLING", length: 1, kept: [] },
  ] as const)(
    "in mode $stmMode at $maxPatternLength, with $length events, keeps $kept",
    ({ length, kept, ...config }) => {
      const stm = events.slice(0, length);

      const decision = decideAutoLearning(stm, config);

      expect(decision).toEqual(kept === undefined ? undefined : { events: stm, kept });
    },
  );
});
