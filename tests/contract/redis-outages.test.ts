import { describe, expect, test } from "vitest";
import { startRedis } from "../support/redis-server.ts";
import { waitFor } from "../support/wait-for.ts";
import {
  appendOnce,
  commitOf,
  createSession,
  NOW,
  numberedEvents,
  readAll,
} from "./session-builders.ts";
import { IMPATIENT, openStoreAt, UNAVAILABLE } from "./store-place.ts";

describe("a server that restarts", () => {
  test.each(["in order", "after a crash"])(
    "is used again without a new store, its data and ids there: %s",
    async (how) => {
      await using redis = await startRedis({ appendOnly: "always" });
      await using store = await openStoreAt(redis.url);
      const sessionId = await createSession(store.sessions, { requestId: "once" });
      await appendOnce(store.sessions, sessionId, "a");

      if (how === "after a crash") await redis.kill();
      await redis.restart();

      expect(await appendOnce(store.sessions, sessionId, "a")).toEqual({ wasRepeat: true });
      expect(await appendOnce(store.sessions, sessionId, "b")).toEqual({ wasRepeat: false });
      expect((await readAll(store.sessions, sessionId)).stm).toEqual([["a"], ["b"]]);
      expect(await createSession(store.sessions, { requestId: "once" })).toBe(sessionId);
    },
  );

  test("with calls under way fails or answers them, and takes the next ones", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using store = await openStoreAt(redis.url, { timeoutMs: 2_000 });
    const sessionId = await createSession(store.sessions);
    await redis.pause();
    const underWay = Promise.allSettled(
      numberedEvents(20).map(([id]) =>
        store.sessions.commit(commitOf(sessionId, { delta: { events: [[id!]] }, ids: [id!] })),
      ),
    );

    await redis.kill();
    const settled = await underWay;
    await redis.restart();

    for (const call of settled) expect(call).toMatchObject({ reason: UNAVAILABLE });
    expect(await appendOnce(store.sessions, sessionId, "next")).toEqual({ wasRepeat: false });
    expect((await readAll(store.sessions, sessionId)).stm).toEqual([["next"]]);
  });
});

describe("a server that is down", () => {
  test("is unavailable within the deadline, and used again when it is back", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using patient = await openStoreAt(redis.url);
    await using store = await openStoreAt(redis.url, IMPATIENT);
    const { sessions, fleet } = store;
    const sessionId = await createSession(patient.sessions);
    await redis.stop();

    const calls = [
      createSession(sessions),
      readAll(sessions, sessionId),
      sessions.commit(commitOf(sessionId, {})),
      sessions.extend(sessionId, { nowMs: NOW, ttlSeconds: 1 }),
      sessions.delete(sessionId, NOW),
      sessions.find(sessionId, NOW),
      sessions.listSessions("node", { cursor: undefined, limit: 1, nowMs: NOW }),
      sessions.countSessions("node", NOW),
      sessions.listNodes({ after: undefined, limit: 1, nowMs: NOW }),
      sessions.ping(),
      fleet.read(),
      fleet.publish("w", "report", 1_000),
    ];
    const start = performance.now();
    const settled = await Promise.allSettled(calls);
    const tookMs = performance.now() - start;

    for (const call of settled) expect(call).toMatchObject({ reason: UNAVAILABLE });
    expect(tookMs).toBeLessThan(2_000);
    await redis.restart();
    const again = await waitFor(() => readAll(sessions, sessionId), { what: "the store" });
    expect(again).toEqual(await readAll(patient.sessions, sessionId));
  });
});

describe("a server that comes back without its newest changes", () => {
  test("is told again of a node that it was told of a moment before", async () => {
    await using redis = await startRedis();
    await using store = await openStoreAt(redis.url);
    const { sessions } = store;
    const everything = { after: undefined, limit: 100, nowMs: NOW };
    await createSession(sessions);
    expect((await sessions.listNodes(everything)).items).toHaveLength(1);

    await redis.kill();
    await redis.restart();
    const isGone = async () => (await sessions.listNodes(everything)).items.length === 0;
    await waitFor(isGone, { what: "the store to be used again" });
    await createSession(sessions);

    const { items } = await sessions.listNodes(everything);
    expect(items.map(({ nodeId }) => nodeId)).toEqual(["node"]);
  });
});

describe("a server that hangs", () => {
  test("for less than the deadline is waited for", async () => {
    await using redis = await startRedis();
    await using store = await openStoreAt(redis.url);
    const sessionId = await createSession(store.sessions);
    await redis.pause();

    const commits = numberedEvents(30).map(([id]) => appendOnce(store.sessions, sessionId, id!));
    await expect(redis.client({ commandTimeout: 200 }).ping()).rejects.toThrow("timed out");
    await redis.resume();

    const repeats = (await Promise.all(commits)).filter(({ wasRepeat }) => wasRepeat);
    expect(repeats).toEqual([]);
    expect((await readAll(store.sessions, sessionId)).stm).toHaveLength(30);
  });

  test("for longer is unavailable; calls that are repeated later take effect once", async () => {
    await using redis = await startRedis();
    await using patient = await openStoreAt(redis.url);
    await using store = await openStoreAt(redis.url, IMPATIENT);
    const { sessions } = store;
    const sessionId = await createSession(patient.sessions);
    await waitFor(() => sessions.ping(), { what: "the connection" });
    await redis.pause();

    const ids = numberedEvents(10).map(([id]) => id!);
    const first = await Promise.allSettled(
      ids.map((id) =>
        sessions.commit(
          commitOf(sessionId, {
            delta: { events: [[id]] },
            ids: [id],
            outcomes: [{ id, reply: null }],
          }),
        ),
      ),
    );
    const repeated = ids.map((id) => appendOnce(sessions, sessionId, id));
    await redis.resume();
    await Promise.all(repeated);

    for (const call of first) expect(call).toMatchObject({ reason: UNAVAILABLE });
    const { stm, state } = await readAll(patient.sessions, sessionId);
    expect(stm.flat().toSorted()).toEqual(ids.toSorted());
    expect(state.version).toBe(ids.length);
  });

  test("does not gather the calls that were given up on", async () => {
    await using redis = await startRedis();
    await using patient = await openStoreAt(redis.url);
    await using store = await openStoreAt(redis.url, IMPATIENT);
    const { sessions } = store;
    const nodes = Array.from({ length: 60 }, (_, i) => `node ${i}`);
    await waitFor(() => sessions.ping(), { what: "the connection" });
    await redis.pause();

    // All but the first calls come when the server has been silent for longer than any call may take.
    for (let i = 0; i < nodes.length; i += 20) {
      const calls = nodes.slice(i, i + 20).map((nodeId) => createSession(sessions, { nodeId }));
      for (const call of await Promise.allSettled(calls)) {
        expect(call).toMatchObject({ reason: UNAVAILABLE });
      }
    }
    await redis.resume();
    await waitFor(() => sessions.ping(), { what: "the store to work again" });

    const everything = { after: undefined, limit: 100, nowMs: NOW };
    const { items } = await patient.sessions.listNodes(everything);
    expect(items.length).toBeLessThanOrEqual(20);
  });
});

describe("a connection that breaks", () => {
  test("in the middle of commits loses and doubles none that is repeated with its id", async () => {
    await using redis = await startRedis();
    await using store = await openStoreAt(redis.url, { timeoutMs: 2_000 });
    const { sessions } = store;
    const admin = redis.client();
    const sessionIds = await Promise.all(Array.from({ length: 8 }, () => createSession(sessions)));
    const ids = numberedEvents(60).map(([id]) => id!);
    let answered = 0;
    let broken = 0;

    await Promise.all(
      sessionIds.map(async (sessionId) => {
        for (const id of ids) {
          await appendOnce(sessions, sessionId, id);
          answered += 1;
          if (answered % 40 !== 0) continue;
          broken += Number(await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"));
        }
      }),
    );

    expect(broken).toBeGreaterThan(5);
    // The last connection to break may not be missed yet.
    await waitFor(() => sessions.ping(), { what: "the store to work again" });
    for (const sessionId of sessionIds) {
      const { stm, state } = await readAll(sessions, sessionId);
      expect(stm).toEqual(ids.map((id) => [id]));
      expect(state.version).toBe(ids.length);
    }
  });
});
