import { describe, expect, test } from "vitest";
import { LOG_ENTRIES_KEPT, LOG_START, logNumber } from "../../server/stores/node-store.ts";
import type { Learn } from "../../server/stores/session-store.ts";
import {
  AB,
  BC,
  followLog,
  indexOf,
  learnAll,
  learnOf,
  readNode,
  replayLog,
  TAG,
} from "./node-builders.ts";
import type { OpenPlace } from "./store-place.ts";

/** The cheapest of all changes, so that many make a long log. */
function fillers(count: number): Learn[] {
  return Array.from({ length: count }, () => indexOf());
}

export function describeNodeLog(openPlace: OpenPlace): void {
  describe("a node's log", () => {
    test("goes on from any place in it", async () => {
      await using place = await openPlace();
      const store = await place.open();
      for (const events of [AB, BC, AB]) await learnAll(store, [learnOf(events), indexOf()]);
      const log = await followLog(store.nodes);

      expect(log.map(({ position }) => logNumber(position))).toEqual([1, 2, 3, 4, 5, 6]);
      for (const [i, from] of [LOG_START, ...log.map(({ position }) => position)].entries()) {
        expect(await store.nodes.readLog(TAG, from, 100)).toEqual(log.slice(i));
        expect(await store.nodes.readLog(TAG, from, 2)).toEqual(log.slice(i, i + 2));
      }
    });

    test("is empty from its start where nothing was ever learned, and has no other place", async () => {
      await using place = await openPlace();
      const { nodes } = await place.open();

      expect(await nodes.readLog(TAG, LOG_START, 10)).toEqual([]);
      expect(await nodes.readLog(TAG, "1-1", 10)).toBeUndefined();
    });

    test("has no place with another mark, past its head or of another node", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await learnAll(store, [learnOf(AB), indexOf()]);
      await learnAll(store, [learnOf(AB), indexOf()], { nodeId: "other" });
      const [first, last] = await followLog(store.nodes);
      const [, mark] = last!.position.split("-");

      const wrong = [`2-${(Number(mark) + 1) % 2 ** 32}`, `3-${mark}`, `0-${mark}`, "0-1"];
      for (const from of [...wrong, `1-${mark}`]) {
        expect([from, await store.nodes.readLog(TAG, from, 10)]).toEqual([from, undefined]);
      }
      expect(await store.nodes.readLog(TAG, first!.position, 10)).toEqual([last]);
    });

    test("marks its entries by chance", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await learnAll(store, fillers(300));

      const marks = (await followLog(store.nodes)).map(({ position }) => position.split("-")[1]);

      expect(new Set(marks).size).toBeGreaterThan(295);
      for (const mark of marks) expect(mark).toMatch(/^(0|[1-9]\d{0,9})$/);
    });

    test("keeps what is promised, the newest above all, and forgets the rest", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await learnAll(store, [learnOf(AB)]);
      const [first] = await followLog(store.nodes);
      await learnAll(store, fillers(LOG_ENTRIES_KEPT - 1));
      expect(await store.nodes.readLog(TAG, LOG_START, 1)).toEqual([first]);

      for (let i = 0; i < 4; i += 1) await learnAll(store, fillers(1_000));
      await learnAll(store, [learnOf(BC)]);

      const newest = LOG_ENTRIES_KEPT + 4_001;
      const { position } = await store.nodes.readHead(TAG);
      expect(logNumber(position)).toBe(newest);
      expect(await store.nodes.readLog(TAG, position, 10)).toEqual([]);
      expect(await store.nodes.readLog(TAG, first!.position, 10)).toBeUndefined();
      expect(await store.nodes.readLog(TAG, LOG_START, 10)).toBeUndefined();
    });

    test("can still be followed by whoever is no further behind than is promised", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await learnAll(store, fillers(3_000));
      await learnAll(store, [learnOf(AB)]);
      const from = (await store.nodes.readHead(TAG)).position;

      for (const count of [1_000, 2_000, 1_000]) await learnAll(store, fillers(count));
      await learnAll(store, [...fillers(LOG_ENTRIES_KEPT - 4_002), learnOf(BC)]);

      const rest = await followLog(store.nodes, { from, limit: 1_000 });
      expect(rest).toHaveLength(LOG_ENTRIES_KEPT - 1);
      expect(replayLog(rest).hashes()).toEqual([learnOf(BC).hash]);
    });

    test("keeps more of a node with many patterns", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const patterns = Array.from({ length: 9_000 }, (_, i) => learnOf([["a"], [`b${i}`]]));
      for (let i = 0; i < 9_000; i += 1_000) await learnAll(store, patterns.slice(i, i + 1_000));
      const from = (await store.nodes.readHead(TAG)).position;

      for (const count of [2_000, 2_000, 499]) await learnAll(store, fillers(count));

      expect(await followLog(store.nodes, { from, limit: 1_000 })).toHaveLength(4_499);
    });

    test("replayed from its start gives what the node holds", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const emotives = [{ joy: 0.1 }, { joy: 0.2 }];
      await learnAll(store, [learnOf(AB, { emotives }), learnOf(BC, { emotives }), learnOf(AB)]);
      await store.nodes.change(TAG, { kind: "finalize" });
      await store.nodes.change(TAG, { kind: "correct", hash: learnOf(BC).hash, frequency: 4 });
      await store.nodes.change(TAG, { kind: "forget", hash: learnOf(AB).hash });

      const replayed = replayLog(await followLog(store.nodes));

      expect(await readNode(store.nodes)).toEqual(replayed.contents());
    });
  });
}
