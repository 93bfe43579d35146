import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OpenStore } from "../../server/stores/open-store.ts";
import { retentionOf } from "../../server/stores/open-store.ts";
import type { SessionStore } from "../../server/stores/session-store.ts";
import { ModelStore } from "./model-store.ts";
import { AB, learnAll, learnOf, TAG } from "./node-builders.ts";
import { commitOf, createSession, NOW, readAll } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;
/** So long every id is remembered that is among the newest allowed at all, and a sixteenth of it longer at most. */
const ON_ITS_WAY_MS = 60_000;
const SURELY_PAST_MS = 63_751;

/** `ids` of a call each. */
const small = (ids: number) => retentionOf(5, { ids, seconds: 3_600 });

/** What a session remembers of calls, one commit after another. */
class Session {
  readonly #store: SessionStore;
  readonly #sessionId: string;
  #version = 0;

  private constructor(store: SessionStore, sessionId: string) {
    this.#store = store;
    this.#sessionId = sessionId;
  }

  static async create(store: SessionStore): Promise<Session> {
    return new Session(store, await createSession(store, { ttlSeconds: 864_000 }));
  }

  async remember(ids: readonly string[], nowMs: number, reply: string | null = null) {
    const result = await this.#store.commit(
      commitOf(this.#sessionId, {
        at: { nowMs, slides: false },
        baseVersion: this.#version,
        ids,
        outcomes: ids.map((id) => ({ id, reply })),
      }),
    );
    if (result.status === "committed") this.#version += 1;
    return result.status;
  }

  /** Those of `ids` that are known. */
  async known(ids: readonly string[], nowMs: number): Promise<string[]> {
    const { seen } = await readAll(this.#store, this.#sessionId, { ids, nowMs });
    return ids.filter((id) => seen.has(id));
  }
}

const numbered = (count: number, first = 0) =>
  Array.from({ length: count }, (_, i) => `id${first + i}`);

export function describeSessionWindow(openPlace: OpenPlace): void {
  const openSession = async (store: OpenStore) => Session.create(store.sessions);

  describe("what a session remembers of calls", () => {
    test("holds every id of the last minute, however many came after it, and then the newest", async () => {
      await using place = await openPlace();
      const session = await openSession(await place.open());
      const ids = numbered(3_000);

      for (let i = 0; i < 3_000; i += 300) await session.remember(ids.slice(i, i + 300), NOW);
      await session.remember(["late"], NOW + ON_ITS_WAY_MS);
      expect(await session.known(ids, NOW + ON_ITS_WAY_MS)).toEqual(ids);
      expect(await session.remember(["id0"], NOW + ON_ITS_WAY_MS)).toBe("stale");

      await session.remember(["later"], NOW + SURELY_PAST_MS);
      expect(await session.known([...ids, "late", "later"], NOW + SURELY_PAST_MS)).toEqual([
        ...ids.slice(-1_022),
        "late",
        "later",
      ]);
    });

    test("lets an id that was forgotten take effect again", async () => {
      await using place = await openPlace();
      const session = await openSession(await place.open({ retention: small(3) }));
      const at = (minute: number) => NOW + minute * 2 * ON_ITS_WAY_MS;
      for (const [i, id] of ["a", "b", "c", "d"].entries()) await session.remember([id], at(i));

      expect(await session.remember(["b"], at(4))).toBe("stale");
      expect(await session.remember(["a"], at(4))).toBe("committed");
      expect(await session.known(["a", "b", "c", "d"], at(4))).toEqual(["a", "c", "d"]);
    });

    test("is never more than sixteen times as many ids, and a sixteenth of that", async () => {
      await using place = await openPlace();
      const session = await openSession(await place.open({ retention: small(16) }));
      const ids = numbered(600);

      for (let i = 1; i <= ids.length; i += 1) {
        await session.remember([ids[i - 1]!], NOW);
        if (i % 20 !== 0) continue;
        const known = await session.known(ids, NOW);
        expect(known).toEqual(ids.slice(i - known.length, i));
        expect(known.length).toBeGreaterThanOrEqual(Math.min(i, 256));
        expect(known.length).toBeLessThanOrEqual(272);
      }
    });

    test("is bounded in bytes, and holds the newest reply whatever its size", async () => {
      await using place = await openPlace();
      const session = await openSession(await place.open());
      const ids = numbered(40);

      for (const id of ids) await session.remember([id], NOW, "x".repeat(MIB));
      const known = await session.known(ids, NOW);
      expect(known).toEqual(ids.slice(-known.length));
      // 16 MiB after the oldest, and up to a sixteenth more.
      expect(known.length).toBeGreaterThanOrEqual(16);
      expect(known.length).toBeLessThanOrEqual(18);

      await session.remember(["large"], NOW, "x".repeat(20 * MIB));
      expect(await session.known([...ids, "large"], NOW)).toEqual(["large"]);
    });

    test("forgets replies that are older than the window, some at a time, and keeps the others", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions, { ttlSeconds: 864_000 });
      const minutes = Array.from({ length: 180 }, (_, i) => i);
      const ids = minutes.map((minute) => `id${minute}`);
      const known = async (minute: number) => {
        const nowMs = NOW + minute * 60_000;
        return [...(await readAll(sessions, sessionId, { ids, nowMs })).seen.keys()];
      };

      for (const minute of minutes) {
        const id = `id${minute}`;
        const at = { nowMs: NOW + minute * 60_000, slides: false };
        const outcomes = [{ id, reply: minute }];
        await sessions.commit(commitOf(sessionId, { at, baseVersion: minute, outcomes }));

        const kept = await known(minute);
        // An hour's and the minute's at either end, and with those not yet forgotten a sixteenth of an hour more.
        expect(kept).toEqual(ids.slice(minute + 1 - kept.length, minute + 1));
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(minute + 1, 61));
        expect(kept.length).toBeLessThanOrEqual(64);
      }
    });

    test("forgets all replies of a session that was left alone for longer than the window", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions, { ttlSeconds: 864_000 });
      const outcomes = Array.from({ length: 1_000 }, (_, i) => ({ id: `id${i}`, reply: i }));
      await sessions.commit(commitOf(sessionId, { outcomes }));
      const ids = [...outcomes.map(({ id }) => id), "new", "newer"];
      const nowMs = NOW + 2 * HOUR_MS;
      const commit = (baseVersion: number, id: string) =>
        sessions.commit(
          commitOf(sessionId, {
            at: { nowMs, slides: false },
            baseVersion,
            outcomes: [{ id, reply: null }],
          }),
        );

      await commit(1, "new");
      await commit(2, "newer");

      const { seen } = await readAll(sessions, sessionId, { ids, nowMs });
      expect([...seen.keys()]).toEqual(["new", "newer"]);
    });

    test("keeps as many ids and for as long as it is told", async () => {
      await using place = await openPlace();
      const retention = retentionOf(5, { ids: 16, seconds: 600 });
      const session = await openSession(await place.open({ retention }));
      const ids = numbered(40);
      const after = (ms: number) => NOW + SURELY_PAST_MS + ms;

      await session.remember(ids.slice(0, 20), NOW);
      await session.remember(["id20"], after(0));
      expect(await session.known(ids, after(0))).toEqual(ids.slice(5, 21));

      await session.remember(["id21"], NOW + 600_000);
      expect(await session.known(ids, NOW + 600_000)).toEqual(ids.slice(5, 22));
      await session.remember(["id22"], NOW + 637_501);
      expect(await session.known(ids, NOW + 637_501)).toEqual(ids.slice(20, 23));
    });

    test("is what the rule says, whatever comes when", async () => {
      const step = fc.record({
        afterMs: fc.constantFrom(0, 1, 1_000, 20_000, 60_001, 1_000_000, 3_600_001),
        count: fc.constantFrom(1, 1, 2, 7, 30),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
          await using place = await openPlace();
          const { sessions } = await place.open({ retention: small(4) });
          const model = new ModelStore(small(4));
          const both = [await Session.create(sessions), await Session.create(model)];
          let nowMs = NOW;
          const ids: string[] = [];
          for (const { afterMs, count } of steps) {
            nowMs += afterMs;
            const added = numbered(count, ids.length);
            ids.push(...added);
            for (const session of both) await session.remember(added, nowMs);
            const [known, expected] = await Promise.all(both.map((one) => one.known(ids, nowMs)));
            expect(known).toEqual(expected);
          }
        }),
        { numRuns: 20 },
      );
    });
  });
}

export function describeNodeWindow(openPlace: OpenPlace): void {
  describe("what a node remembers of calls", () => {
    const correct = async ({ nodes }: OpenStore, id: string, nowMs: number) => {
      const request = { id: `correct:${id}`, digest: "digest", nowMs };
      const mutation = { kind: "correct" as const, hash: LARGE.hash, frequency: 1 };
      const { firstDigest } = await nodes.change(TAG, mutation, request);
      return firstDigest === undefined ? "done" : "repeated";
    };
    const openNode = async (place: Awaited<ReturnType<OpenPlace>>, ids: number) => {
      const store = await place.open({ retention: small(ids) });
      await learnAll(store, [learnOf(AB)]);
      return store;
    };
    const finalize = async ({ nodes }: OpenStore, id: string, nowMs: number) => {
      const request = { id: `finalize:${id}`, digest: "digest", nowMs };
      const { firstDigest } = await nodes.change(TAG, { kind: "finalize" }, request);
      return firstDigest === undefined ? "done" : "repeated";
    };

    test("holds every id of the last minute, and then the newest", async () => {
      await using place = await openPlace();
      const store = await openNode(place, 3);
      for (const id of numbered(10)) await finalize(store, id, NOW);

      expect(await finalize(store, "id0", NOW + SURELY_PAST_MS)).toBe("repeated");
      await finalize(store, "late", NOW + SURELY_PAST_MS);

      const again = async (id: string) => finalize(store, id, NOW + SURELY_PAST_MS);
      for (const id of ["late", "id9", "id8"]) expect(await again(id)).toBe("repeated");
      expect(await again("id7")).toBe("done");
      // That one stands in the place of the oldest.
      expect(await again("id8")).toBe("done");
    });

    test("is never more than sixteen times as many ids", async () => {
      await using place = await openPlace();
      const store = await openNode(place, 2);
      for (const id of numbered(40)) await finalize(store, id, NOW);

      expect(await finalize(store, "id5", NOW)).toBe("done");
      expect(await finalize(store, "id10", NOW)).toBe("repeated");
    });

    test("is bounded in bytes", async () => {
      await using place = await openPlace();
      const store = await openNode(place, 1_024);
      await learnAll(store, [LARGE]);
      for (const id of numbered(20)) await correct(store, id, NOW);

      expect(await correct(store, "id5", NOW)).toBe("repeated");
      expect(await correct(store, "id1", NOW)).toBe("done");
    });
  });
}

/** A pattern that takes about a MiB to tell. */
const LARGE = learnOf(
  Array.from({ length: 2 }, (_, event) =>
    Array.from({ length: 512 }, (_, i) => `${event}-${i}-${"x".repeat(1_000)}`),
  ),
);
