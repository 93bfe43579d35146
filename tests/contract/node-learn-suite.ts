import { describe, expect, test } from "vitest";
import type { SessionStore } from "../../server/stores/session-store.ts";
import { AB, BC, indexOf, learnAll, learnOf, readNode, TAG } from "./node-builders.ts";
import { commitOf, createSession, readAll } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const VECTOR = { name: "VCTR|1", vector: [0.5, -1] };

/** A learn that brings something of everything. */
const FULL_LEARN = learnOf(AB, {
  emotives: [{ joy: 0.8 }, { joy: 0.4, fear: 1 }],
  metadata: [{ book: "t1" }, { book: "t2" }],
  vectors: [VECTOR],
});

/** A session at version 1 with something of everything in it. */
async function fillSession(sessions: SessionStore): Promise<string> {
  const sessionId = await createSession(sessions);
  const delta = {
    events: AB,
    emotives: [{ joy: 1 }],
    metadata: [{ book: "t1" }],
    vectors: [VECTOR],
  };
  await sessions.commit(commitOf(sessionId, { delta }));
  return sessionId;
}

export function describeLearning(openPlace: OpenPlace): void {
  describe("a commit with learns", () => {
    test("is one change of session and node", async () => {
      await using place = await openPlace();
      const { sessions, nodes } = await place.open();
      const sessionId = await fillSession(sessions);

      const result = await sessions.commit(
        commitOf(sessionId, {
          baseVersion: 1,
          time: 2,
          delta: { clearsStm: true, clearsVectors: true },
          learns: [FULL_LEARN],
        }),
      );

      expect(result).toMatchObject({ status: "committed", frequencies: [1] });
      expect(await readAll(sessions, sessionId)).toMatchObject({
        state: { version: 2, time: 2, stmLength: 0 },
        stm: [],
        emotives: [{ joy: 1 }],
        metadata: [{ book: "t1" }],
        vectors: [],
      });
      const fearAndJoy = [
        ["fear", 1],
        ["joy", (0.8 + 0.4) / 2],
      ];
      expect(await readNode(nodes)).toEqual({
        number: 1,
        totals: {
          patterns: 1,
          symbols: 2,
          frequencies: 1,
          symbolOccurrences: 3,
          vectors: 1,
          bytes: '[["a"],["b","a"]]'.length,
        },
        patterns: [
          {
            hash: FULL_LEARN.hash,
            born: 1,
            frequency: 1,
            events: AB,
            emotives: [
              [["joy", 0.8]],
              [
                ["fear", 1],
                ["joy", 0.4],
              ],
            ],
            metadata: [["book", ["t1", "t2"]]],
          },
        ],
        symbols: [
          { symbol: "a", frequency: 2, patternMemberFrequency: 1 },
          { symbol: "b", frequency: 1, patternMemberFrequency: 1 },
        ],
        affinities: [
          ["a", fearAndJoy],
          ["b", fearAndJoy],
        ],
        vectors: [[VECTOR.name, VECTOR.vector]],
        finalized: null,
        finalizedMembers: [],
      });
      const log = await nodes.readLog(TAG, "0-0", 10);
      expect(log?.map(({ json }) => JSON.parse(json) as unknown)).toEqual([
        JSON.parse(JSON.stringify(FULL_LEARN)),
      ]);
    });

    test("makes each of them in turn, and tells how often each pattern is learned then", async () => {
      await using place = await openPlace();
      const store = await place.open();
      await learnAll(store, [learnOf(BC)]);

      const learns = [learnOf(AB), learnOf(BC), indexOf(VECTOR), learnOf(AB), learnOf(AB)];
      const frequencies = await learnAll(store, learns);

      expect(frequencies).toEqual([1, 2, null, 2, 3]);
      const { number, patterns } = await readNode(store.nodes);
      expect(number).toBe(6);
      expect(patterns.map(({ born, frequency }) => ({ born, frequency }))).toEqual([
        { born: 1, frequency: 2 },
        { born: 2, frequency: 3 },
      ]);
    });

    test("without any leaves the node alone", async () => {
      await using place = await openPlace();
      const { sessions, nodes } = await place.open();

      await fillSession(sessions);

      expect(await nodes.readHead(TAG)).toEqual({ position: "0-0", finalized: null });
    });

    test("reaches the session's node and no other", async () => {
      await using place = await openPlace();
      const store = await place.open();

      await learnAll(store, [learnOf(AB)], { nodeId: "other" });

      expect((await readNode(store.nodes)).totals.patterns).toBe(0);
    });

    test("remembers beside the reply how often the pattern is learned, or null", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const commit = commitOf(sessionId, {
        learns: [learnOf(AB), indexOf(VECTOR), learnOf(AB)],
        outcomes: [
          { id: "first", reply: "PTRN|1", learn: 0 },
          { id: "vectors", reply: null, learn: 1 },
          { id: "second", reply: ["PTRN|1", { a: 1 }], learn: 2 },
          { id: "other", reply: 7 },
        ],
      });
      await sessions.commit(commit);

      const { seen } = await readAll(sessions, sessionId, {
        ids: ["first", "vectors", "second", "other"],
      });

      expect(seen).toEqual(
        new Map<string, unknown>([
          ["first", ["PTRN|1", 1]],
          ["vectors", [null, null]],
          ["second", [["PTRN|1", { a: 1 }], 2]],
          ["other", 7],
        ]),
      );
    });

    test("keeps the newest emotives, and all metadata, of a pattern learned again", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const values = (...numbers: number[]) => numbers.map((joy) => ({ joy }));
      const learn = (emotives: { joy: number }[], metadata: { n: number }[] = []) =>
        learnAll(store, [learnOf(AB, { emotives, metadata })]);

      await learn(values(0, 1, 2, 3, 4, 5, 6), [{ n: 2 }]);
      await learn(values(7, 8), [{ n: 1 }, { n: 2 }]);
      await learn([]);

      const pattern = await store.nodes.findPattern(TAG, learnOf(AB).hash);
      expect(pattern).toMatchObject({ frequency: 3, emotives: values(4, 5, 6, 7, 8) });
      expect(pattern?.metadata["n"]).toEqual(["1", "2"]);
    });
  });

  describe("a stale commit with learns", () => {
    test.each([
      ["of another version", { baseVersion: 0 }],
      ["with an id that was seen", { baseVersion: 2, ids: ["seen"] }],
    ])("%s leaves the node as it was", async (_what, stale) => {
      await using place = await openPlace();
      const { sessions, nodes } = await place.open();
      const sessionId = await fillSession(sessions);
      const first = { learns: [FULL_LEARN], outcomes: [{ id: "seen", reply: 1, learn: 0 }] };
      await sessions.commit(commitOf(sessionId, { baseVersion: 1, ...first }));
      const before = await readNode(nodes);

      const result = await sessions.commit(
        commitOf(sessionId, { learns: [learnOf(BC), FULL_LEARN], ...stale }),
      );

      expect(result.status).toBe("stale");
      expect(await readNode(nodes)).toEqual(before);
    });
  });
}
