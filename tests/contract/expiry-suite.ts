import { describe, expect, test } from "vitest";
import type { SessionStore } from "../../server/stores/session-store.ts";
import {
  commitOf,
  createSession,
  DAY_MS,
  looking,
  NOW,
  numberedEvents,
  readAll,
  using,
} from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

/** Where the sessions of these stories expire unless they are used. */
const EXPIRY = NOW + 60_000;

async function expiryOf(store: SessionStore, sessionId: string): Promise<number> {
  const [item] = (await store.listSessions("node", { cursor: undefined, limit: 10, nowMs: NOW }))
    .items;
  expect(item?.state.sessionId).toBe(sessionId);
  return item!.expiresAt;
}

export function describeExpiry(openPlace: OpenPlace): void {
  describe("expiry", () => {
    test("comes a millisecond after the last one of life", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);

      expect((await readAll(sessions, sessionId, { nowMs: EXPIRY })).expiresAt).toBe(EXPIRY);
      expect(await sessions.find(sessionId, EXPIRY)).toBe("live");
      expect(await sessions.countSessions("node", EXPIRY)).toBe(1);
      expect(await sessions.find(sessionId, EXPIRY + 1)).toBe("expired");
      expect(await sessions.countSessions("node", EXPIRY + 1)).toBe(0);
      await expect(readAll(sessions, sessionId, { nowMs: EXPIRY + 1 })).rejects.toMatchObject({
        code: "SESSION_EXPIRED",
        details: { sessionId },
      });
    });

    test("comes to the millisecond within a second too", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const early = await createSession(sessions, { nowMs: NOW + 137 });
      const late = await createSession(sessions, { nowMs: NOW + 138 });
      const listed = async (nowMs: number) => {
        const page = await sessions.listSessions("node", { cursor: undefined, limit: 10, nowMs });
        return page.items.map(({ state }) => state.sessionId).toSorted();
      };

      for (const [nowMs, live] of [
        [EXPIRY, [early, late]],
        [EXPIRY + 137, [early, late]],
        [EXPIRY + 138, [late]],
        [EXPIRY + 139, []],
        [EXPIRY + 1_000, []],
      ] as const) {
        expect(await sessions.countSessions("node", nowMs), `at ${nowMs}`).toBe(live.length);
        expect(await listed(nowMs)).toEqual(live.toSorted());
        expect(await sessions.find(early, nowMs)).toBe(nowMs > EXPIRY + 137 ? "expired" : "live");
      }
    });

    test("moves by every millisecond with contacts of one second", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions, { nowMs: NOW + 100 });

      for (let ms = 101; ms < 1_150; ms += 117) {
        const at = using(NOW + ms);
        const expiresAt = EXPIRY + ms;
        expect((await sessions.load(sessionId, { at })).expiresAt).toBe(expiresAt);
        expect(await expiryOf(sessions, sessionId)).toBe(expiresAt);
        expect(await sessions.countSessions("node", expiresAt)).toBe(1);
        expect(await sessions.countSessions("node", expiresAt + 1)).toBe(0);

        const late = using(NOW + ms + 50);
        const stale = await sessions.commit(commitOf(sessionId, { at: late, baseVersion: 99 }));
        expect(stale).toMatchObject({ status: "stale", expiresAt: expiresAt + 50 });
        expect(await expiryOf(sessions, sessionId)).toBe(expiresAt + 50);
      }
      const extended = await sessions.extend(sessionId, {
        nowMs: NOW + 1_150,
        ttlSeconds: undefined,
      });
      expect(extended.expiresAt).toBe(EXPIRY + 1_150);
      expect(await expiryOf(sessions, sessionId)).toBe(EXPIRY + 1_150);
    });

    test("moves with every load and commit", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);

      const loaded = await sessions.load(sessionId, { at: using(NOW + 50_000) });
      expect(loaded.expiresAt).toBe(NOW + 110_000);
      expect(await expiryOf(sessions, sessionId)).toBe(NOW + 110_000);

      const committed = await sessions.commit(commitOf(sessionId, { at: using(NOW + 100_000) }));
      expect(committed).toEqual({ status: "committed", expiresAt: NOW + 160_000, frequencies: [] });
      expect(await expiryOf(sessions, sessionId)).toBe(NOW + 160_000);
    });

    test("stays where it is with contacts that do not move it", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);

      const loaded = await sessions.load(sessionId, { at: looking(NOW + 50_000) });
      const committed = await sessions.commit(commitOf(sessionId, { at: looking(EXPIRY) }));

      expect(loaded.expiresAt).toBe(EXPIRY);
      expect(committed).toEqual({ status: "committed", expiresAt: EXPIRY, frequencies: [] });
      expect(await sessions.find(sessionId, EXPIRY + 1)).toBe("expired");
    });

    test("stays where it is when a session is looked for, listed or counted", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const nowMs = NOW + 50_000;

      await sessions.find(sessionId, nowMs);
      await sessions.listSessions("node", { cursor: undefined, limit: 10, nowMs });
      await sessions.countSessions("node", nowMs);
      await sessions.listNodes({ after: undefined, limit: 10, nowMs });

      expect(await expiryOf(sessions, sessionId)).toBe(EXPIRY);
    });

    test("never moves backwards, even for a caller whose clock is behind", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      await sessions.load(sessionId, { at: using(NOW + 30_000) });

      const loaded = await sessions.load(sessionId, { at: using(NOW - 5_000) });
      const committed = await sessions.commit(commitOf(sessionId, { at: using(NOW) }));

      expect(loaded.expiresAt).toBe(NOW + 90_000);
      expect(committed).toMatchObject({ expiresAt: NOW + 90_000 });
    });

    test("is kept up for as long as a session is used", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      await sessions.commit(commitOf(sessionId, { delta: { events: [["a"]] } }));

      for (let nowMs = NOW; nowMs < NOW + 3 * DAY_MS; nowMs += 59_000 * 60) {
        await sessions.extend(sessionId, { nowMs, ttlSeconds: 3_600 });
      }

      const { stm } = await readAll(sessions, sessionId, { nowMs: NOW + 3 * DAY_MS });
      expect(stm).toEqual([["a"]]);
    });
  });

  describe("extending a session", () => {
    test("gives it its own time to live anew", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);

      const extended = await sessions.extend(sessionId, {
        nowMs: NOW + 20_000,
        ttlSeconds: undefined,
      });

      expect(extended).toEqual({ expiresAt: NOW + 80_000, ttlSeconds: 60 });
      expect(await expiryOf(sessions, sessionId)).toBe(NOW + 80_000);
    });

    test("for a given time leaves its own time to live as it is, and later use never shortens it", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const month = 30 * DAY_MS;

      const extended = await sessions.extend(sessionId, { nowMs: NOW, ttlSeconds: month / 1_000 });
      const loaded = await sessions.load(sessionId, { at: using(NOW + 1_000) });

      expect(extended).toEqual({ expiresAt: NOW + month, ttlSeconds: 60 });
      expect(loaded.expiresAt).toBe(NOW + month);
      expect(loaded.state.ttlSeconds).toBe(60);
      expect(await sessions.find(sessionId, NOW + month)).toBe("live");
      expect(await sessions.find(sessionId, NOW + month + 1)).toBe("expired");
    });

    test("for less than it has left leaves it where it is", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);

      const extended = await sessions.extend(sessionId, { nowMs: NOW, ttlSeconds: 1 });

      expect(extended).toEqual({ expiresAt: EXPIRY, ttlSeconds: 60 });
      expect(await expiryOf(sessions, sessionId)).toBe(EXPIRY);
    });
  });

  describe("an expired session", () => {
    test("is told from one that never was for a day", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const lastMs = EXPIRY + DAY_MS;
      const failures = async (nowMs: number) => {
        const calls = [
          readAll(sessions, sessionId, { nowMs }),
          sessions.load(sessionId, { at: using(nowMs) }),
          sessions.commit(commitOf(sessionId, { at: using(nowMs) })),
          sessions.extend(sessionId, { nowMs, ttlSeconds: 60 }),
        ];
        const settled = await Promise.allSettled(calls);
        return settled.map((call) => call.status === "rejected" && call.reason.code);
      };

      expect(await failures(EXPIRY + 1)).toEqual(Array(4).fill("SESSION_EXPIRED"));
      expect(await failures(lastMs)).toEqual(Array(4).fill("SESSION_EXPIRED"));
      expect(await sessions.find(sessionId, lastMs)).toBe("expired");
      expect(await failures(lastMs + 1)).toEqual(Array(4).fill("SESSION_NOT_FOUND"));
      expect(await sessions.find(sessionId, lastMs + 1)).toBe("missing");
    });

    test("is remembered for that day however many sessions are created meanwhile", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const gone = await Promise.all(Array.from({ length: 30 }, () => createSession(sessions)));
      const find = (nowMs: number) => Promise.all(gone.map((id) => sessions.find(id, nowMs)));
      const createMany = async (nowMs: number) => {
        for (let i = 0; i < 40; i += 1) await createSession(sessions, { nowMs });
      };

      await createMany(EXPIRY + DAY_MS);
      expect(new Set(await find(EXPIRY + DAY_MS))).toEqual(new Set(["expired"]));

      await createMany(EXPIRY + DAY_MS + 1);
      expect(new Set(await find(EXPIRY + DAY_MS + 1))).toEqual(new Set(["missing"]));
      expect(await sessions.countSessions("node", EXPIRY + DAY_MS + 1)).toBe(80);
    });

    test("is not deleted again, so it is still told as expired", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);

      expect(await sessions.delete(sessionId, EXPIRY + 1)).toBe(false);
      expect(await sessions.find(sessionId, EXPIRY + 1)).toBe("expired");
    });

    test("is not brought back by a late commit, load or extension", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const nowMs = EXPIRY + 1;

      await Promise.allSettled([
        sessions.commit(commitOf(sessionId, { at: using(nowMs), delta: { events: [["late"]] } })),
        sessions.load(sessionId, { at: using(nowMs) }),
        sessions.extend(sessionId, { nowMs, ttlSeconds: 3_600 }),
      ]);

      expect(await sessions.find(sessionId, nowMs)).toBe("expired");
      expect(await sessions.countSessions("node", nowMs)).toBe(0);
    });

    test("keeps what it held for callers who began in time, whoever creates sessions meanwhile", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      await sessions.commit(commitOf(sessionId, { delta: { events: numberedEvents(3) } }));

      for (let i = 0; i < 5; i += 1) await createSession(sessions, { nowMs: EXPIRY + 5_000 });
      const late = await sessions.commit(
        commitOf(sessionId, {
          at: using(EXPIRY - 1),
          baseVersion: 1,
          delta: { events: numberedEvents(1, 3) },
        }),
      );

      expect(late.status).toBe("committed");
      const { stm } = await readAll(sessions, sessionId, { nowMs: EXPIRY });
      expect(stm).toEqual(numberedEvents(4));
    });
  });

  describe("deleting a session", () => {
    test("succeeds once", async () => {
      await using place = await openPlace();
      const stores = [(await place.open()).sessions, (await place.open()).sessions];
      const sessionId = await createSession(stores[0]!);

      const deleted = await Promise.all(
        Array.from({ length: 20 }, (_, i) => stores[i % 2]!.delete(sessionId, NOW)),
      );

      expect(deleted.filter(Boolean)).toHaveLength(1);
      expect(await stores[0]!.delete(sessionId, NOW)).toBe(false);
    });

    test("leaves nothing of it, and the others alone", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const [deleted, kept] = [await createSession(sessions), await createSession(sessions)];
      for (const id of [deleted, kept]) {
        await sessions.commit(commitOf(id, { delta: { events: [["a"]] } }));
      }

      await sessions.delete(deleted, NOW);

      expect(await sessions.find(deleted, NOW)).toBe("missing");
      await expect(readAll(sessions, deleted)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      expect((await readAll(sessions, kept)).stm).toEqual([["a"]]);
      expect(await sessions.countSessions("node", NOW)).toBe(1);
    });

    test("is not undone by a late commit, load or extension", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      await sessions.delete(sessionId, NOW);

      const late = await Promise.allSettled([
        sessions.commit(commitOf(sessionId, { at: using(), delta: { events: [["late"]] } })),
        sessions.load(sessionId, { at: using() }),
        sessions.extend(sessionId, { nowMs: NOW, ttlSeconds: 3_600 }),
      ]);

      expect(late.map((call) => call.status === "rejected" && call.reason.code)).toEqual(
        Array(3).fill("SESSION_NOT_FOUND"),
      );
      expect(await sessions.find(sessionId, NOW)).toBe("missing");
      expect(await sessions.countSessions("node", NOW)).toBe(0);
    });
  });
}
