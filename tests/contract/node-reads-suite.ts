import { describe, expect, test } from "vitest";
import type { NodePage, NodeRows } from "../../server/stores/node-store.ts";
import type { OpenStore } from "../../server/stores/open-store.ts";
import { readPatternRow } from "../../server/stores/pattern-row.ts";
import { nodeTag } from "../../server/stores/session-id.ts";
import {
  AB,
  indexOf,
  learnAll,
  learnOf,
  listAllPatterns,
  listAllSymbols,
  readNode,
  statisticsOf,
  sumsOf,
  TAG,
  walkRows,
} from "./node-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const KINDS: (keyof NodeRows)[] = ["patterns", "affinities", "vectors", "finalized"];

/** In code point order, which UTF-16 has the other way round from the fourth on. */
const SYMBOLS = ["", "a", "a\0", "\uD7FF", "\uE000", "\uFFFD", "\u{10000}", "\u{10000}a", "😀"];

/** `count` patterns, symbols, affinities and vectors, and a finalize of all. */
async function fillNode(store: OpenStore, count: number): Promise<void> {
  const learns = Array.from({ length: count }, (_, i) =>
    learnOf([[`s${i}`, `s${i}`]], {
      emotives: [{ joy: i }],
      vectors: [{ name: `v${i}`, vector: [i] }],
    }),
  );
  await learnAll(store, learns);
  await store.nodes.change(TAG, { kind: "finalize" });
}

export function describeNodeReads(openPlace: OpenPlace): void {
  describe("a walk over a node's rows", () => {
    test.each([1, 7, 50, 1_000])("gives every one in pages of %i", async (limit) => {
      await using place = await openPlace();
      const store = await place.open();
      const count = limit === 1_000 ? 2_500 : 50;
      await fillNode(store, count);

      const numbers = Array.from({ length: count }, (_, i) => i);
      const patterns = (await walkRows(store.nodes, "patterns", { limit })).map(readPatternRow);
      expect(patterns.map(({ events }) => events)).toEqual(
        numbers.map((i) => [[`s${i}`, `s${i}`]]),
      );
      expect(patterns.map(({ born }) => born)).toEqual(numbers.map((i) => i + 1));

      const { affinities, vectors, finalizedMembers } = await readNode(store.nodes, { limit });
      const byName = <T>(row: (i: number) => [string, T]) =>
        numbers.map(row).toSorted(([a], [b]) => (a < b ? -1 : 1));
      expect(affinities).toEqual(byName((i) => [`s${i}`, [["joy", i]]]));
      expect(vectors).toEqual(byName((i) => [`v${i}`, [i]]));
      expect(finalizedMembers).toEqual(byName((i) => [`s${i}`, 1]));
    });

    test.each(KINDS)("of %s tells the log's number with each page", async (kind) => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store, 30);

      const first = await store.nodes.readRows(TAG, kind, { cursor: null, limit: 10 });
      await learnAll(store, [learnOf(AB), indexOf()]);
      const { nextCursor: cursor } = first;
      const second = await store.nodes.readRows(TAG, kind, { cursor, limit: 10 });

      expect(first.number).toBe(31);
      expect(second.number).toBe(33);
    });

    test.each(KINDS)("of %s misses nothing that stands while others come and go", async (kind) => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store, 40);
      const keys = new Set<string>();

      for (let cursor: string | null = null, i = 0; ; i += 1) {
        const page: NodePage<NodeRows[typeof kind]> = await store.nodes.readRows(TAG, kind, {
          cursor,
          limit: 4,
        });
        for (const [key] of page.rows) keys.add(key);
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
        const vectors = [{ name: `v1${i}x`, vector: [i] }];
        await learnAll(store, [learnOf([[`s1${i}x`], ["s"]], { emotives: [{ joy: 1 }], vectors })]);
        const { hash } = learnOf([["s3", "s3"]]);
        if (i === 2) await store.nodes.change(TAG, { kind: "forget", hash });
      }

      const standing = Array.from({ length: 40 }, (_, i) => i).filter((i) => i !== 3);
      const keyOf = (i: number) =>
        kind === "patterns"
          ? learnOf([[`s${i}`, `s${i}`]]).hash
          : `${kind[0] === "v" ? "v" : "s"}${i}`;
      for (const i of standing) expect(keys).toContain(keyOf(i));
    });
  });

  describe("patterns", () => {
    test("are listed in the order of their birth, after any of them", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store, 10);
      await learnAll(store, [learnOf([["s3", "s3"]]), learnOf(AB)]);

      const all = await listAllPatterns(store.nodes);
      expect(await listAllPatterns(store.nodes, { limit: 3 })).toEqual(all);
      expect(all.map(({ born }) => born)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13]);
      expect(all[3]).toMatchObject({ frequency: 2, emotives: [{ joy: 3 }] });
      const page = { after: all[5]!.born, limit: 2 };
      expect(await store.nodes.listPatterns(TAG, page)).toEqual(all.slice(6, 8));
      expect(await store.nodes.listPatterns(TAG, { after: 13, limit: 2 })).toEqual([]);
    });

    test("are found by their hash", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store, 3);
      const all = await listAllPatterns(store.nodes);

      for (const pattern of all) {
        expect(await store.nodes.findPattern(TAG, pattern.hash)).toEqual(pattern);
      }
      expect(await store.nodes.findPattern(TAG, learnOf(AB).hash)).toBeUndefined();
    });
  });

  describe("symbols", () => {
    test("are listed in code point order, after any text", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await learnAll(store, [learnOf([SYMBOLS.toReversed()], { emotives: [{ joy: 1 }] })]);

      for (const limit of [1, 2, 4, 100]) {
        const listed = await listAllSymbols(store.nodes, { limit });
        expect(listed.map(({ symbol }) => symbol)).toEqual(SYMBOLS);
        for (const { affinity } of listed) expect(sumsOf(affinity)).toEqual([["joy", 1]]);
      }
      for (const [i, after] of SYMBOLS.entries()) {
        const page = await store.nodes.listSymbols(TAG, { after, limit: 100 });
        expect(page.map(({ symbol }) => symbol)).toEqual(SYMBOLS.slice(i + 1));
      }
      const between = await store.nodes.listSymbols(TAG, { after: "\uF000", limit: 1 });
      expect(between[0]?.symbol).toBe("\uFFFD");
    });

    test("are found in the order asked for, unknown ones with zeros", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await learnAll(store, [learnOf(AB, { emotives: [{ joy: 1 }] }), learnOf([["b"], ["c"]])]);
      await store.nodes.change(TAG, { kind: "forget", hash: learnOf(AB).hash });

      const found = await store.nodes.findSymbols(TAG, ["x", "c", "b", "a", "b", "__proto__"]);

      const zeros = { frequency: 0, patternMemberFrequency: 0 };
      const ones = { frequency: 1, patternMemberFrequency: 1 };
      expect(found.map(statisticsOf)).toEqual([
        { symbol: "x", ...zeros },
        { symbol: "c", ...ones },
        { symbol: "b", ...ones },
        { symbol: "a", ...zeros },
        { symbol: "b", ...ones },
        { symbol: "__proto__", ...zeros },
      ]);
      // Affinity outlives the patterns that brought it.
      const joy = [["joy", 1]];
      expect(found.map(({ affinity }) => sumsOf(affinity))).toEqual([[], [], joy, joy, joy, []]);
    });
  });

  test("a node never written to is empty", async () => {
    await using place = await openPlace();
    const store = await place.open();
    await learnAll(store, [learnOf(AB, { emotives: [{ joy: 1 }] })]);
    const tag = nodeTag("never written");

    for (const kind of KINDS) {
      const page = await store.nodes.readRows(tag, kind, { cursor: null, limit: 10 });
      expect(page).toEqual({ number: 0, rows: [], nextCursor: null });
    }
    expect(await store.nodes.readHead(tag)).toEqual({ position: "0-0", finalized: null });
    expect(new Set(Object.values(await store.nodes.readTotals(tag)))).toEqual(new Set([0]));
    expect(await store.nodes.findPattern(tag, learnOf(AB).hash)).toBeUndefined();
    expect(await store.nodes.listPatterns(tag, { after: 0, limit: 10 })).toEqual([]);
    expect(await store.nodes.listSymbols(tag, { after: undefined, limit: 10 })).toEqual([]);
    expect(await store.nodes.findSymbols(tag, ["a"])).toMatchObject([
      { symbol: "a", frequency: 0, patternMemberFrequency: 0 },
    ]);
  });
}
