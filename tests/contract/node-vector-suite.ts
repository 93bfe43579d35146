import { describe, expect, test } from "vitest";
import { AB, BC, indexOf, learnAll, learnOf, readNode, TAG } from "./node-builders.ts";
import { commitOf, createSession, readAll } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const VECTOR = { name: "VCTR|1", vector: [0.5, -1] };

export function describeVectors(openPlace: OpenPlace): void {
  describe("vectors of differing dimensions", () => {
    const two = { name: "two", vector: [1, 2] };
    const three = { name: "three", vector: [1, 2, 3] };

    test.each([
      ["one learn", [learnOf(BC, { vectors: [two, three] })]],
      ["two learns of a commit", [learnOf(BC, { vectors: [two] }), indexOf(three)]],
    ])("in %s are refused, and nothing has happened", async (_where, learns) => {
      await using place = await openPlace();
      const { sessions, nodes } = await place.open();
      const sessionId = await createSession(sessions);
      const before = await readAll(sessions, sessionId, { ids: ["id"] });

      const refused = sessions.commit(
        commitOf(sessionId, {
          at: { nowMs: before.expiresAt, slides: true },
          delta: { events: AB, vectors: [two] },
          outcomes: [{ id: "id", reply: 1 }],
          learns: [learnOf(AB), ...learns],
        }),
      );

      await expect(refused).rejects.toMatchObject({
        code: "VECTOR_DIMENSION_MISMATCH",
        details: { expected: 2, actual: 3 },
      });
      expect(await readAll(sessions, sessionId, { ids: ["id"] })).toEqual(before);
      expect((await readNode(nodes)).number).toBe(0);
    });

    test("are those that differ from the node's, until it is cleared", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await learnAll(store, [indexOf(two)]);
      const before = await readNode(store.nodes);

      await expect(learnAll(store, [learnOf(AB), indexOf(three)])).rejects.toMatchObject({
        code: "VECTOR_DIMENSION_MISMATCH",
        details: { expected: 2, actual: 3 },
      });
      expect(await readNode(store.nodes)).toEqual(before);

      await store.nodes.change(TAG, { kind: "clear" });
      expect(await learnAll(store, [indexOf(three)])).toEqual([null]);
      expect((await readNode(store.nodes)).vectors).toEqual([["three", [1, 2, 3]]]);
    });
  });

  test("a refused commit does nothing to those made with it", async () => {
    await using place = await openPlace();
    const store = await place.open();
    await learnAll(store, [indexOf({ name: "two", vector: [1, 2] })]);
    const refused = [learnOf(AB), indexOf({ name: "one", vector: [1] })];

    const settled = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => learnAll(store, i % 3 === 1 ? refused : [learnOf(AB)])),
    );

    const made = settled.filter(({ status }) => status === "fulfilled");
    expect(made).toHaveLength(20);
    const { number, totals } = await readNode(store.nodes);
    expect(number).toBe(21);
    expect(totals).toMatchObject({ frequencies: 20, vectors: 1 });
  });

  describe("indexed vectors", () => {
    test("overwrite those of their name, and the empty one is never held", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const empty = { name: "empty", vector: [] };

      await learnAll(store, [indexOf(empty), indexOf({ name: "a", vector: [1] }, empty)]);
      await learnAll(store, [learnOf(AB, { vectors: [{ name: "a", vector: [2] }, empty] })]);

      const { vectors, totals, number } = await readNode(store.nodes);
      expect(vectors).toEqual([["a", [2]]]);
      expect(totals.vectors).toBe(1);
      expect(number).toBe(3);
    });
  });

  describe("waiting vectors", () => {
    test("gather in the session until they are cleared, the newest being kept", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open({
        retention: { events: 9, accumulated: 3, outcomes: 9, outcomesMs: 3_600_000 },
      });
      const sessionId = await createSession(sessions);
      const names = Array.from({ length: 10 }, (_, i) => `VCTR|${i}`);
      for (const [baseVersion, name] of names.entries()) {
        const vectors = [{ name, vector: [baseVersion, 1e-7] }];
        await sessions.commit(commitOf(sessionId, { baseVersion, delta: { vectors } }));
      }

      const kept = names.slice(-3).map((name, i) => ({ name, vector: [7 + i, 1e-7] }));
      expect((await readAll(sessions, sessionId)).vectors).toEqual(kept);

      const cleared = { clearsVectors: true, vectors: [VECTOR] };
      await sessions.commit(commitOf(sessionId, { baseVersion: 10, delta: cleared }));
      expect((await readAll(sessions, sessionId)).vectors).toEqual([VECTOR]);
    });
  });
}
