import { describe, expect, test } from "vitest";
import { commitOf, createSession, newSession, NOW, readAll } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const HOUR_MS = 3_600_000;
const REQUEST = { id: "once", digest: "digest" };

export function describeSessionRequests(openPlace: OpenPlace): void {
  describe("a creation with an id", () => {
    test("tells its repeats the digest that came with it, and makes nothing", async () => {
      await using place = await openPlace();
      const stores = [(await place.open()).sessions, (await place.open()).sessions];
      const first = newSession({ requestId: "once", digest: "one" });
      expect(await stores[0]!.create(first)).not.toHaveProperty("firstDigest");

      for (const store of stores) {
        const again = await store.create(newSession({ requestId: "once", digest: "other" }));
        expect(again).toMatchObject({ repeated: true, firstDigest: "one" });
        expect(again.state.sessionId).toBe(first.sessionId);
      }
      expect(await stores[1]!.countSessions("node", NOW)).toBe(1);
    });
  });

  describe("an extension with an id", () => {
    test("is answered again as at first, and moves nothing", async () => {
      await using place = await openPlace();
      const stores = [(await place.open()).sessions, (await place.open()).sessions];
      const sessionId = await createSession(stores[0]!);
      const extend = (store: number, nowMs: number, request = REQUEST) =>
        stores[store]!.extend(sessionId, { nowMs, ttlSeconds: 100, request });

      const first = await extend(0, NOW);
      const again = [await extend(1, NOW + 50_000), await extend(0, NOW + 60_000)];

      expect(first).toEqual({ expiresAt: NOW + 100_000, ttlSeconds: 60 });
      for (const reply of again) expect(reply).toEqual({ ...first, firstDigest: "digest" });
      expect((await readAll(stores[1]!, sessionId)).expiresAt).toBe(NOW + 100_000);
      expect(await extend(0, NOW + 50_000, { id: "other", digest: "digest" })).toEqual({
        expiresAt: NOW + 150_000,
        ttlSeconds: 60,
      });
    });

    test("is remembered among the replies of the session's commits", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open({
        retention: { events: 5, accumulated: 4, outcomes: 3, outcomesMs: HOUR_MS },
      });
      const sessionId = await createSession(sessions, { ttlSeconds: 3_600 });
      let nowMs = NOW;
      // Each so late that the one before is remembered only as one of the newest.
      const commit = (baseVersion: number) => {
        nowMs += 120_000;
        return sessions.commit(
          commitOf(sessionId, {
            at: { nowMs, slides: false },
            baseVersion,
            outcomes: [{ id: `c${baseVersion}`, reply: 0 }],
          }),
        );
      };
      const extend = () => sessions.extend(sessionId, { nowMs, ttlSeconds: 100, request: REQUEST });

      await commit(0);
      await extend();
      await commit(1);
      await commit(2);

      const { seen, state } = await readAll(sessions, sessionId, {
        nowMs,
        ids: ["c0", "once", "c1", "c2"],
      });
      expect([...seen.keys()]).toEqual(["once", "c1", "c2"]);
      expect(state).toMatchObject({ version: 3, time: 1 });
      expect(await extend()).toHaveProperty("firstDigest");
      await commit(3);
      expect(await extend()).not.toHaveProperty("firstDigest");
    });
  });

  describe("a deletion with an id", () => {
    test("is known again within the window, to every worker, and by no other id", async () => {
      await using place = await openPlace();
      const stores = [(await place.open()).sessions, (await place.open()).sessions];
      const sessionId = await createSession(stores[0]!);

      expect(await stores[0]!.delete(sessionId, NOW, "once")).toBe(true);

      for (const store of stores) {
        expect(await store.delete(sessionId, NOW + 1_000, "once")).toBe("repeated");
        expect(await store.delete(sessionId, NOW + 1_000, "other")).toBe(false);
        expect(await store.delete(sessionId, NOW + 1_000)).toBe(false);
      }
      expect(await stores[0]!.find(sessionId, NOW)).toBe("missing");
      await place.passTime(HOUR_MS + 1);
      expect(await stores[0]!.delete(sessionId, NOW + HOUR_MS + 1, "once")).toBe(false);
    });

    test("that found nothing is not remembered", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions, { ttlSeconds: 1 });

      expect(await sessions.delete(sessionId, NOW + 1_001, "once")).toBe(false);
      expect(await sessions.delete(sessionId, NOW + 1_002, "once")).toBe(false);
    });
  });
}
