import { describe, expect, test } from "vitest";
import type { NodeMutation } from "../../server/stores/node-store.ts";
import { logNumber } from "../../server/stores/node-store.ts";
import type { OpenStore } from "../../server/stores/open-store.ts";
import { nodeTag } from "../../server/stores/session-id.ts";
import { AB, BC, followLog, indexOf, learnAll, learnOf, readNode, TAG } from "./node-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const HASH = learnOf(AB).hash;
const UNKNOWN = "0".repeat(40);

/** Two patterns with all that a node can hold beside them. */
async function fillNode(store: OpenStore): Promise<void> {
  await learnAll(store, [
    learnOf(AB, { emotives: [{ joy: 1 }], metadata: [{ book: 1 }] }),
    learnOf(BC),
    learnOf(AB),
    indexOf({ name: "v", vector: [1, 2] }),
  ]);
}

export function describeNodeChanges(openPlace: OpenPlace): void {
  describe("a correction", () => {
    test("sets what it names, and symbols count as though the pattern was learned so often", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store);
      const correction = { emotives: [{ fear: -1 }, { joy: 2 }], metadata: { page: ["1", "2"] } };

      const result = await store.nodes.change(TAG, {
        kind: "correct",
        hash: HASH,
        frequency: 5,
        ...correction,
      });

      expect(result.patterns).toBe(2);
      expect(result.pattern).toMatchObject({ hash: HASH, events: AB, frequency: 5 });
      const after = await readNode(store.nodes);
      expect(after.patterns[0]).toMatchObject({
        hash: HASH,
        born: 1,
        frequency: 5,
        emotives: [[["fear", -1]], [["joy", 2]]],
        metadata: [["page", ["1", "2"]]],
      });
      expect(after.symbols).toEqual([
        { symbol: "a", frequency: 10, patternMemberFrequency: 1 },
        { symbol: "b", frequency: 6, patternMemberFrequency: 2 },
        { symbol: "c", frequency: 1, patternMemberFrequency: 1 },
      ]);
      expect(after.totals).toMatchObject({ frequencies: 6, symbolOccurrences: 17 });
    });

    test("leaves alone what it does not name, and can take emotives and metadata away", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store);
      const correct = async (fields: object) => {
        await store.nodes.change(TAG, { kind: "correct", hash: HASH, ...fields });
        return (await readNode(store.nodes)).patterns[0];
      };

      expect(await correct({ frequency: 1 })).toMatchObject({
        frequency: 1,
        emotives: [[["joy", 1]]],
        metadata: [["book", ["1"]]],
      });
      expect(await correct({ emotives: [] })).toMatchObject({ frequency: 1, emotives: [] });
      expect(await correct({ metadata: {} })).toMatchObject({ emotives: [], metadata: [] });
    });

    test("to the largest frequency leaves a node that can be read", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const long = learnOf([Array.from({ length: 20_000 }, () => "a"), ["b"]]);
      await learnAll(store, [long]);

      await store.nodes.change(TAG, { kind: "correct", hash: long.hash, frequency: 1e12 });

      const { totals, symbols } = await readNode(store.nodes);
      expect(totals).toMatchObject({ frequencies: 1e12, symbolOccurrences: 20_001e12 });
      expect(symbols[0]).toMatchObject({ symbol: "a", frequency: 20_000e12 });
    });
  });

  describe("a forgotten pattern", () => {
    test("takes with it what its learns counted, but no affinity", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store);
      const before = await readNode(store.nodes);

      expect(await store.nodes.change(TAG, { kind: "forget", hash: HASH })).toMatchObject({
        patterns: 1,
      });

      const after = await readNode(store.nodes);
      expect(after.patterns.map(({ hash }) => hash)).toEqual([learnOf(BC).hash]);
      expect(after.symbols.map(({ symbol, frequency }) => [symbol, frequency])).toEqual([
        ["b", 1],
        ["c", 1],
      ]);
      expect(after.affinities).toEqual(before.affinities);
      expect(after.totals).toEqual({
        patterns: 1,
        symbols: 2,
        frequencies: 1,
        symbolOccurrences: 2,
        vectors: 1,
        bytes: JSON.stringify(BC).length,
      });
      expect(await store.nodes.findPattern(TAG, HASH)).toBeUndefined();
    });

    test("is born anew by its next learn", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store);
      await store.nodes.change(TAG, { kind: "forget", hash: HASH });

      expect(await learnAll(store, [learnOf(AB)])).toEqual([1]);

      expect((await readNode(store.nodes)).patterns.at(-1)).toMatchObject({
        hash: HASH,
        born: 6,
        frequency: 1,
        emotives: [],
        metadata: [],
      });
    });
  });

  test.each<NodeMutation>([
    { kind: "correct", hash: UNKNOWN, frequency: 2 },
    { kind: "forget", hash: UNKNOWN },
  ])("to $kind a pattern that is unknown is refused and changes nothing", async (mutation) => {
    await using place = await openPlace();
    const store = await place.open();
    await fillNode(store);
    const before = await readNode(store.nodes);

    for (const tag of [TAG, nodeTag("never written")]) {
      await expect(store.nodes.change(tag, mutation)).rejects.toMatchObject({
        code: "PATTERN_NOT_FOUND",
      });
    }

    expect(await readNode(store.nodes)).toEqual(before);
    expect(await store.nodes.readHead(nodeTag("never written"))).toEqual({
      position: "0-0",
      finalized: null,
    });
  });

  describe("finalize", () => {
    test("keeps the members of that moment until the next one", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store);

      expect(await store.nodes.change(TAG, { kind: "finalize" })).toMatchObject({ patterns: 2 });
      await learnAll(store, [learnOf([["c"], ["d"]])]);
      await store.nodes.change(TAG, { kind: "forget", hash: HASH });

      expect(await readNode(store.nodes)).toMatchObject({
        finalized: { number: 5, patterns: 2, symbols: 3 },
        finalizedMembers: [
          ["a", 1],
          ["b", 2],
          ["c", 1],
        ],
      });

      await store.nodes.change(TAG, { kind: "finalize" });
      expect(await readNode(store.nodes)).toMatchObject({
        finalized: { number: 8, patterns: 2, symbols: 3 },
        finalizedMembers: [
          ["b", 1],
          ["c", 2],
          ["d", 1],
        ],
      });
    });

    test("of an empty node finds nothing", async () => {
      await using place = await openPlace();
      const { nodes } = await place.open();

      expect(await nodes.change(TAG, { kind: "finalize" })).toMatchObject({ patterns: 0 });

      expect((await nodes.readHead(TAG)).finalized).toEqual({ number: 1, patterns: 0, symbols: 0 });
    });
  });

  describe("clear", () => {
    test("takes all that was learned, and leaves the log and other nodes", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await fillNode(store);
      await learnAll(store, [learnOf(AB)], { nodeId: "other" });
      await store.nodes.change(TAG, { kind: "finalize" });
      const log = await followLog(store.nodes);

      expect(await store.nodes.change(TAG, { kind: "clear" })).toMatchObject({ patterns: 0 });

      const nothing = { patterns: [], symbols: [], affinities: [], vectors: [] };
      const noTotals = { patterns: 0, symbols: 0, frequencies: 0, symbolOccurrences: 0 };
      expect(await readNode(store.nodes)).toEqual({
        number: 6,
        totals: { ...noTotals, vectors: 0, bytes: 0 },
        ...nothing,
        finalized: null,
        finalizedMembers: [],
      });
      expect((await followLog(store.nodes)).slice(0, -1)).toEqual(log);
      expect((await store.nodes.readTotals(nodeTag("other"))).patterns).toBe(1);

      await learnAll(store, [learnOf(BC)]);
      expect(logNumber((await store.nodes.readHead(TAG)).position)).toBe(7);
      expect((await readNode(store.nodes)).patterns).toMatchObject([{ born: 7, frequency: 1 }]);
    });
  });

  test("every change is an entry of the log", async () => {
    await using place = await openPlace();
    const store = await place.open();
    await learnAll(store, [learnOf(AB)]);
    const mutations: NodeMutation[] = [
      { kind: "correct", hash: HASH, frequency: 3 },
      { kind: "finalize" },
      { kind: "forget", hash: HASH },
      { kind: "clear" },
    ];

    for (const mutation of mutations) await store.nodes.change(TAG, mutation);

    const log = await followLog(store.nodes);
    expect(log.slice(1).map(({ json }) => JSON.parse(json) as unknown)).toEqual(mutations);
    expect(log.map(({ position }) => logNumber(position))).toEqual([1, 2, 3, 4, 5]);
    expect((await store.nodes.readHead(TAG)).position).toBe(log.at(-1)?.position);
  });
}
