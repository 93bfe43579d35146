import { describe, expect, test } from "vitest";
import type { Emotives, Metadata } from "@kato-rpc/shared/observation.ts";
import {
  AB,
  followLog,
  learnAll,
  learnOf,
  readNode,
  replayLog,
  sumsOf,
  TAG,
} from "./node-builders.ts";
import { ModelNode } from "./model-node.ts";
import type { OpenPlace } from "./store-place.ts";

const NASTY_TEXTS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\n\r\t",
  "'",
  '"',
  "\\",
  "\\u0000",
  "\\n",
  ":{}*",
  "a:b",
  "[[]]",
  "null",
  "-1",
  "1e3",
  "NaN",
  "__proto__",
  "constructor",
  "toString",
  "😀",
  "e\u0301",
  "\u2028\uFFFF",
  "𝒳".repeat(100),
];

function mapOf<Value>(value: (key: string, i: number) => Value): Record<string, Value> {
  const map: Record<string, Value> = Object.create(null);
  for (const [i, key] of NASTY_TEXTS.entries()) map[key] = value(key, i);
  return map;
}

export function describeNodeTexts(openPlace: OpenPlace): void {
  describe("texts of every kind", () => {
    test("as symbols, emotives, metadata and names of vectors come back as they were", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const nasty = learnOf([NASTY_TEXTS, ...NASTY_TEXTS.map((text) => [text])], {
        emotives: [mapOf((_, i) => i / 3), mapOf((_, i) => -i)],
        metadata: [mapOf((key) => key), mapOf((key) => [key, { [key]: null }])] as Metadata[],
        vectors: NASTY_TEXTS.map((name, i) => ({ name, vector: [i] })),
      });
      const model = new ModelNode();
      const learns = [nasty, learnOf(AB), nasty];

      await learnAll(store, learns);
      await store.nodes.change(TAG, { kind: "finalize" });

      model.applyAll(learns);
      model.apply({ kind: "finalize" });
      expect(await readNode(store.nodes, { limit: 3 })).toEqual(model.contents());
      expect(replayLog(await followLog(store.nodes)).contents()).toEqual(model.contents());
      const found = await store.nodes.findSymbols(TAG, NASTY_TEXTS);
      expect(found.map(({ symbol, frequency }) => [symbol, frequency])).toEqual(
        NASTY_TEXTS.map((text) => [text, 4]),
      );
    });

    test("stay apart as symbols where they differ in a character only", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const alike = ["a", "a ", "A", "á", "a\u0301", "a\0", "a\n", "a:", "a\\", '"a"'];

      await learnAll(store, [learnOf([alike]), learnOf([["a", "a"]])]);

      const found = await store.nodes.findSymbols(TAG, alike);
      expect(found.map(({ frequency }) => frequency)).toEqual(alike.map((_, i) => (i ? 1 : 3)));
    });
  });

  describe("emotives of every size", () => {
    const values = [
      1e308,
      -1e308,
      Number.MAX_VALUE,
      5e-324,
      -5e-324,
      0,
      -0,
      0.1,
      1 / 3,
      2 ** 53 + 2,
      1e21,
      1e-7,
      -123456789.12345679,
    ];

    test("come back as they were", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const emotives = values.map((joy): Emotives => ({ joy }));

      await learnAll(store, [learnOf(AB, { emotives, persistence: 100 })]);

      const pattern = await store.nodes.findPattern(TAG, learnOf(AB).hash);
      // JSON knows no -0.
      expect(pattern?.emotives.map(({ joy }) => joy)).toEqual(values.map((joy) => joy + 0));
    });

    test("add up bit for bit, in the order of the learns, and stay finite", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const names = values.map((_, i) => `e${i}`);
      const all = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
      const tenth = Object.fromEntries(names.map((name) => [name, 0.1]));
      const learns = [all, all, tenth, tenth, tenth].map((map) => learnOf(AB, { emotives: [map] }));
      const model = new ModelNode();

      for (const learn of learns) await learnAll(store, [learn]);

      model.applyAll(learns);
      const { affinities } = await readNode(store.nodes);
      expect(affinities).toEqual(model.contents().affinities);
      const sums = new Map(affinities[0]![1]);
      expect(sums.get("e0")).toBe(Number.MAX_VALUE);
      expect(sums.get("e1")).toBe(-Number.MAX_VALUE);
      expect(sums.get("e5")).toBe(0.1 + 0.1 + 0.1);
      const [a] = await store.nodes.findSymbols(TAG, ["a"]);
      expect(sumsOf(a!.affinity)).toEqual(affinities[0]![1]);
    });

    test("as little as they can be, add up to twice as much", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const learn = learnOf(AB, { emotives: [{ joy: 5e-324, fear: -0 }] });

      await learnAll(store, [learn, learn]);

      expect((await readNode(store.nodes)).affinities[0]).toEqual([
        "a",
        [
          ["fear", 0],
          ["joy", 1e-323],
        ],
      ]);
    });
  });
}
