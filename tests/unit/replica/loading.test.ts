import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { predict } from "@kato-rpc/server/engine/index/predict.ts";
import { predictNaively } from "@kato-rpc/server/engine/naive/predict.ts";
import { DEFAULT_SESSION_CONFIG } from "@kato-rpc/shared/session-config.ts";
import { followerOf } from "../../support/replica/follower.ts";
import { MemoryNodeStore } from "../../support/replica/memory-node-store.ts";
import { action, events, perform } from "../../support/replica/random-changes.ts";
import { expectSameMemory } from "../../support/replica/same-memory.ts";

const TAG = "node";

const play = fc.record({
  before: fc.array(action, { maxLength: 30 }),
  /** What happens before each read, one after another. */
  between: fc.array(fc.array(action, { maxLength: 4 }), { maxLength: 40 }),
  stm: events,
  settings: fc
    .record({
      recallThreshold: fc.constantFrom(0, 0.1, 0.5),
      affinityEmotive: fc.constantFrom(null, "joy", "\\"),
    })
    .map((chosen) => ({ ...DEFAULT_SESSION_CONFIG, ...chosen })),
});

describe("a replica that is loaded while the node changes", () => {
  test(
    "is the node's memory, and predicts as it does, bit for bit",
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(play, async ({ before, between, stm, settings }) => {
          const store = new MemoryNodeStore();
          for (const each of before) perform(store, TAG, each);
          const left = [...between];
          store.beforeRead = () => {
            for (const each of left.shift() ?? []) perform(store, TAG, each);
          };
          const { follower, replica } = followerOf(store, TAG);

          await follower.catchUp();

          const memory = store.memory(TAG);
          expectSameMemory(replica(), memory);
          expect(predict(replica(), stm, settings)).toEqual(predictNaively(memory, stm, settings));
        }),
        { numRuns: 1_500 },
      );
    },
  );

  test("goes on with changes that come after it was loaded", { timeout: 120_000 }, async () => {
    const rounds = fc.array(fc.array(action, { maxLength: 10 }), { maxLength: 6 });

    await fc.assert(
      fc.asyncProperty(rounds, async (rounds) => {
        const store = new MemoryNodeStore();
        const { follower, replica } = followerOf(store, TAG);
        for (const round of rounds) {
          for (const each of round) perform(store, TAG, each);
          await follower.catchUp();

          expectSameMemory(replica(), store.memory(TAG));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("is loaded anew when the node is finalized or cleared on the way", async () => {
    for (const kind of ["finalize", "clear"] as const) {
      const store = new MemoryNodeStore();
      for (const end of "pqrstuvw") store.learn(TAG, { events: [["a"], [end]] });
      const { follower, link, replica } = followerOf(store, TAG);
      let isDone = false;
      store.beforeRead = (read) => {
        if (read !== "affinities" || isDone) return;
        isDone = true;
        store.commit(TAG, { kind });
      };

      await follower.catchUp();

      expect(link.asked.filter((asked) => asked === "begin")).toHaveLength(2);
      expectSameMemory(replica(), store.memory(TAG));
    }
  });

  test.each(["patterns", "vectors"])(
    "is loaded anew when vectors of another dimension were learned after a clear, before its %s are read",
    async (kind) => {
      const store = new MemoryNodeStore();
      store.learn(TAG, { events: [["a"], ["b"]] });
      const { follower, replica } = followerOf(store, TAG);
      let isDone = false;
      store.beforeRead = (read) => {
        if (read !== kind || isDone) return;
        isDone = true;
        store.commit(TAG, { kind: "index-vectors", vectors: [{ name: "two", vector: [1, 2] }] });
        store.commit(TAG, { kind: "clear" });
        const vectors = [{ name: "three", vector: [1, 2, 3] }];
        store.commit(TAG, { kind: "index-vectors", vectors });
      };

      await follower.catchUp();

      expect(isDone).toBe(true);
      expect(replica().vectors.dimension).toBe(3);
      expectSameMemory(replica(), store.memory(TAG));
    },
  );

  test("is given up, and forgotten, when the node is cleared again and again", async () => {
    const store = new MemoryNodeStore();
    const { follower, link } = followerOf(store, TAG);
    store.beforeRead = (read) => read === "affinities" && store.commit(TAG, { kind: "clear" });

    await expect(follower.catchUp()).rejects.toMatchObject({ code: "OVERLOADED" });

    const count = (kind: string): number => link.asked.filter((asked) => asked === kind).length;
    expect(count("drop")).toBe(count("begin"));
    expect(count("drop")).toBeGreaterThan(1);
    expect(follower.replica).toBe(undefined);
  });

  test("has a pattern once that is forgotten and learned again between two pages", async () => {
    const store = new MemoryNodeStore();
    const ends = Array.from("pqrstuvwxyz");
    const [first] = ends.map((end) => store.learn(TAG, { events: [["a"], [end]] }));
    const { follower, replica } = followerOf(store, TAG);
    beforeNextPages(store, () => {
      store.commit(TAG, { kind: "forget", hash: first! });
      store.learn(TAG, { events: [["a"], ["p"]], emotives: [{ joy: 1 }] });
      store.learn(TAG, { events: [["a"], ["p"]], emotives: [{ joy: 2 }] });
    });

    await follower.catchUp();

    expectSameMemory(replica(), store.memory(TAG));
  });

  test("outlives thousands of forgotten patterns in the part of the log that it replays", async () => {
    const store = new MemoryNodeStore(1_000);
    const eventsOf = (i: number) => [[`x${i % 7}`], [`y${i}`]];
    for (let i = 0; i < 1_300; i += 1) store.learn(TAG, { events: eventsOf(i) });
    const { follower, replica } = followerOf(store, TAG);
    const hashes = [...store.memory(TAG).patterns()].map(({ hash }) => hash);
    beforeNextPages(
      store,
      () => undefined,
      () => {
        for (const hash of hashes.slice(0, 1_060)) store.commit(TAG, { kind: "forget", hash });
        for (let i = 0; i < 20; i += 1) store.learn(TAG, { events: eventsOf(1_299 - i) });
      },
    );
    const { beforeRead } = store;
    store.beforeRead = (read, tag) => {
      beforeRead(read, tag);
      if (read !== "affinities") return;
      const hash = store.learn(TAG, { events: [["new"], ["one"]] });
      store.commit(TAG, { kind: "correct", hash, frequency: 5 });
    };

    await follower.catchUp();

    expectSameMemory(replica(), store.memory(TAG));
  });
});

/** Does one thing before the second page of patterns is read, another before the third, and so on. */
function beforeNextPages(store: MemoryNodeStore, ...acts: (() => void)[]): void {
  let pages = 0;
  store.beforeRead = (read) => {
    if (read !== "patterns") return;
    pages += 1;
    if (pages > 1) acts[pages - 2]?.();
  };
}
