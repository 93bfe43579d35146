import { describe, expect, test } from "vitest";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { NodeChange } from "../../server/engine/node-change.ts";
import { logNumber } from "../../server/stores/node-store.ts";
import { commitOf, createSession } from "./session-builders.ts";
import {
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

const LEARNS = 500;
const PATTERNS = 20;

/** The `i`th learn of many: of one of a few patterns, its emotives and metadata telling which it was. */
function numberedLearn(i: number) {
  return learnOf([[`p${i % PATTERNS}`], ["all"]], {
    emotives: [{ turn: i }],
    metadata: [{ turn: i }],
    persistence: 100,
    vectors: [{ name: `v${i}`, vector: [i, 1] }],
  });
}

export function describeNodeWorkers(openPlace: OpenPlace): void {
  describe("two workers that learn at once", () => {
    test("lose nothing of each other", async () => {
      await using place = await openPlace();
      const stores = [await place.open(), await place.open()];
      const sessionIds = await Promise.all(
        Array.from({ length: LEARNS }, (_, i) => createSession(stores[i % 2]!.sessions)),
      );

      const results = await Promise.all(
        sessionIds.map((sessionId, i) =>
          stores[i % 2]!.sessions.commit(commitOf(sessionId, { learns: [numberedLearn(i)] })),
        ),
      );

      const { nodes } = stores[0]!;
      const after = await readNode(nodes);
      const each = LEARNS / PATTERNS;
      expect(after.totals).toMatchObject({
        patterns: PATTERNS,
        symbols: PATTERNS + 1,
        frequencies: LEARNS,
        symbolOccurrences: 2 * LEARNS,
        vectors: LEARNS,
      });
      for (const { frequency, events, emotives, metadata } of after.patterns) {
        expect(frequency).toBe(each);
        const first = Number(events[0]![0]!.slice(1));
        const turns = Array.from({ length: each }, (_, i) => first + i * PATTERNS);
        const learned = emotives.map(([pair]) => pair![1]);
        expect(learned.toSorted((a, b) => a - b)).toEqual(turns);
        expect(metadata[0]![1].toSorted()).toEqual(turns.map(String).toSorted());
      }
      const told = results.flatMap((result) =>
        result.status === "committed" ? result.frequencies : [],
      );
      const counts = Array.from({ length: each }, (_, i) => i + 1);
      expect(told.toSorted((a, b) => a! - b!)).toEqual(
        counts.flatMap((count) => Array.from({ length: PATTERNS }, () => count)),
      );
      const log = await followLog(nodes);
      const numbers = log.map(({ position }) => logNumber(position));
      expect(numbers).toEqual(Array.from({ length: LEARNS }, (_, i) => i + 1));
      const turns = log.map(({ json }) => (parseJson(json) as NodeChange & { hash: string }).hash);
      expect(turns.toSorted()).toEqual(
        Array.from({ length: LEARNS }, (_, i) => numberedLearn(i).hash).toSorted(),
      );
      expect(replayLog(log).contents()).toEqual(after);
      expect(await readNode(stores[1]!.nodes)).toEqual(after);
    });

    test("on one version of a session: one of them learns", async () => {
      await using place = await openPlace();
      const stores = [await place.open(), await place.open()];
      const sessionId = await createSession(stores[0]!.sessions);

      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          stores[i % 2]!.sessions.commit(commitOf(sessionId, { learns: [learnOf(BC)] })),
        ),
      );

      expect(results.filter(({ status }) => status === "committed")).toHaveLength(1);
      expect(await readNode(stores[0]!.nodes)).toMatchObject({
        number: 1,
        totals: { frequencies: 1 },
      });
    });

    test("and change the node besides keep one log that tells all", async () => {
      await using place = await openPlace();
      const stores = [await place.open(), await place.open()];
      await learnAll(stores[0]!, [learnOf(BC)]);
      const { hash } = learnOf(BC);

      await Promise.all(
        Array.from({ length: 100 }, (_, i) => {
          const store = stores[i % 2]!;
          if (i % 10 === 3) return store.nodes.change(TAG, { kind: "finalize" });
          if (i % 10 === 5) return store.nodes.change(TAG, { kind: "correct", hash, frequency: i });
          if (i === 48) return store.nodes.change(TAG, { kind: "clear" }).catch(() => undefined);
          return learnAll(store, [numberedLearn(i), learnOf(BC), indexOf()]);
        }).map((call) => call.catch(patternGone)),
      );

      const log = await followLog(stores[0]!.nodes);
      expect(log.map(({ position }) => logNumber(position))).toEqual(log.map((_, i) => i + 1));
      expect(replayLog(log).contents()).toEqual(await readNode(stores[1]!.nodes));
    });
  });

  test("what was learned is there when a store is opened anew", async () => {
    await using place = await openPlace();
    const before = await place.open();
    await learnAll(before, [numberedLearn(1), numberedLearn(2), numberedLearn(21)]);
    await before.nodes.change(TAG, { kind: "finalize" });
    const expected = await readNode(before.nodes);
    const log = await followLog(before.nodes);
    await before.close();

    const { nodes } = await place.open();

    expect(expected.totals.patterns).toBe(2);
    expect(await readNode(nodes)).toEqual(expected);
    expect(await followLog(nodes)).toEqual(log);
  });

  test("a closed store fails what is asked of it", async () => {
    await using place = await openPlace();
    const store = await place.open();
    await store.close();
    const unavailable = { code: "STORE_UNAVAILABLE" };

    await expect(store.nodes.readHead(TAG)).rejects.toMatchObject(unavailable);
    await expect(store.nodes.change(TAG, { kind: "clear" })).rejects.toMatchObject(unavailable);
  });
}

/** A correction may come after the clear. */
function patternGone(error: unknown): void {
  if ((error as { code?: string }).code !== "PATTERN_NOT_FOUND") throw error;
}
