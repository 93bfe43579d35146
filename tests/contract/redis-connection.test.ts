import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { NodeMutation } from "../../server/stores/node-store.ts";
import type { OpenStore } from "../../server/stores/open-store.ts";
import { startRedis } from "../support/redis-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { AB, BC, learnAll, learnOf, readNode, TAG } from "./node-builders.ts";
import {
  appendOnce,
  commitOf,
  createSession,
  looking,
  NOW,
  numberedEvents,
  readAll,
  using,
} from "./session-builders.ts";
import { IMPATIENT, openStoreAt, UNAVAILABLE } from "./store-place.ts";

describe("connecting to Redis", () => {
  test("happens once for fifty calls that come before the connection", async () => {
    await using redis = await startRedis();
    const admin = redis.client();
    const clientsBefore = await admin.client("LIST");
    await using store = await openStoreAt(redis.url);

    const ids = await Promise.all(
      Array.from({ length: 50 }, (_, i) => createSession(store.sessions, { nodeId: `node ${i}` })),
    );

    expect(new Set(ids).size).toBe(50);
    const count = (list: unknown) => String(list).trim().split("\n").length;
    expect(count(await admin.client("LIST")) - count(clientsBefore)).toBe(1);
  });

  test("is waited for by calls that come while the server is down", async () => {
    await using redis = await startRedis();
    await redis.stop();
    await using store = await openStoreAt(redis.url);

    const creations = Promise.all(Array.from({ length: 50 }, () => createSession(store.sessions)));
    await redis.restart();

    expect(new Set(await creations).size).toBe(50);
  });

  test("is waited for each time that the server is away", async () => {
    await using redis = await startRedis();
    const refusals: Error[] = [];
    await using store = await openStoreAt(redis.url, {
      onConnectionError: (error) => refusals.push(error),
    });
    await store.sessions.ping();

    for (const round of [1, 2]) {
      await redis.stop();
      refusals.length = 0;
      await waitFor(() => refusals.length > 0, { what: "the store to miss its server" });
      const creation = createSession(store.sessions, { nodeId: `round ${round}` });
      await redis.restart();

      expect(await creation).toEqual(expect.any(String));
    }
  });

  test("is waited for by each call for as long as that call may take", async () => {
    await using redis = await startRedis();
    await redis.pause();
    await using store = await openStoreAt(redis.url, { timeoutMs: 1_000 });

    const early = expect(createSession(store.sessions)).rejects.toMatchObject(UNAVAILABLE);
    await delay(500); // That time passes is what this is about.
    const late = createSession(store.sessions);
    await early;
    await redis.resume();

    expect(await late).toEqual(expect.any(String));
  });

  test("with a wrong password fails without telling it", async () => {
    await using redis = await startRedis({ config: { requirepass: "right" } });
    const reports: Error[] = [];
    const url = `redis://someone:wr0ng%2Fs3cret@127.0.0.1:${redis.port}`;
    await using store = await openStoreAt(url, {
      ...IMPATIENT,
      onConnectionError: (error) => reports.push(error),
    });

    const failure: unknown = await createSession(store.sessions).catch((error: unknown) => error);

    expect(failure).toMatchObject(UNAVAILABLE);
    expect(inspect(failure)).toContain("WRONGPASS");
    const shown = inspect([failure, ...reports], { depth: 10, showHidden: true });
    expect(shown).not.toContain("s3cret");
  });
});

describe("a server that loses its scripts", () => {
  test("is given them again", async () => {
    await using redis = await startRedis();
    await using store = await openStoreAt(redis.url);
    const sessionId = await createSession(store.sessions);
    const admin = redis.client();

    await admin.script("FLUSH");
    const events = numberedEvents(20);
    await Promise.all(events.map(([id]) => appendOnce(store.sessions, sessionId, id!)));
    await admin.script("FLUSH");

    const { stm, state } = await readAll(store.sessions, sessionId);
    expect(stm.flat().toSorted()).toEqual(events.flat().toSorted());
    expect(state.version).toBe(20);
  });
});

describe("a store whose server hangs", () => {
  test("is closed within the deadline, and calls under way fail", async () => {
    await using redis = await startRedis();
    await using store = await openStoreAt(redis.url, IMPATIENT);
    await waitFor(() => store.sessions.ping(), { what: "the connection" });
    await redis.pause();
    const underWay = expect(store.sessions.ping()).rejects.toMatchObject(UNAVAILABLE);

    const start = performance.now();
    await store.close();

    expect(performance.now() - start).toBeLessThan(2_000);
    await underWay;
  });
});

describe("a server that has no memory left", () => {
  test("refuses a change whole, and takes it when there is room again", async () => {
    await using redis = await startRedis({ config: { "maxmemory-policy": "noeviction" } });
    await using store = await openStoreAt(redis.url);
    const { sessions } = store;
    const sessionId = await createSession(sessions);
    await sessions.commit(
      commitOf(sessionId, {
        delta: {
          events: [["a"]],
          emotives: [{ joy: 1 }],
          percept: { strings: ["a"], vectors: [], metadata: {} },
        },
      }),
    );
    const before = await readAll(sessions, sessionId);
    const admin = redis.client();
    const change = commitOf(sessionId, {
      baseVersion: 1,
      time: 2,
      delta: { events: [["b"]], emotives: [{ joy: 2 }], percept: null, config: {} },
      ids: ["b"],
      outcomes: [{ id: "b", reply: 2 }],
    });

    await admin.config("SET", "maxmemory", "1");
    // The last two within one second of the expiry, and beyond it.
    for (const at of [looking(), using(NOW + 2), using(NOW + 1_001)]) {
      await expect(sessions.commit({ ...change, at })).rejects.toMatchObject(UNAVAILABLE);
    }
    expect(await readAll(sessions, sessionId, { ids: ["b"] })).toEqual(before);

    await admin.config("SET", "maxmemory", "0");
    expect(await sessions.commit(change)).toMatchObject({ status: "committed" });
  });
});

describe("a server that has no memory left for what is learned", () => {
  test("refuses a learn whole, and takes what frees memory", async () => {
    await using redis = await startRedis({ config: { "maxmemory-policy": "noeviction" } });
    await using store = await openStoreAt(redis.url);
    const { sessions, nodes } = store;
    const sessionId = await createSession(sessions);
    const learns = [learnOf(AB), learnOf(BC)];
    await learnAll(store, learns);
    const { hash } = learnOf(AB);
    const [session, node] = [await readAll(sessions, sessionId), await readNode(nodes)];
    const admin = redis.client();

    await admin.config("SET", "maxmemory", "1");
    for (const at of [looking(), using(NOW + 1)]) {
      const commit = commitOf(sessionId, { at, learns, delta: { clearsStm: true } });
      await expect(sessions.commit(commit)).rejects.toMatchObject(UNAVAILABLE);
    }
    for (const mutation of [
      { kind: "correct", hash, frequency: 2, emotives: [] },
      { kind: "finalize" },
    ] satisfies NodeMutation[]) {
      await expect(nodes.change(TAG, mutation)).rejects.toMatchObject(UNAVAILABLE);
    }
    expect(await readAll(sessions, sessionId)).toEqual(session);
    expect(await readNode(nodes)).toEqual(node);

    expect(await nodes.change(TAG, { kind: "forget", hash })).toEqual({ patterns: 1 });
    expect(await nodes.change(TAG, { kind: "clear" })).toEqual({ patterns: 0 });
    expect((await readNode(nodes)).number).toBe(4);
  });
});

describe("a server that has no memory left", () => {
  test("is read from, and prolongs no life", async () => {
    await using redis = await startRedis({ config: { "maxmemory-policy": "noeviction" } });
    await using store = await openStoreAt(redis.url);
    const { sessions } = store;
    const sessionId = await createSession(sessions, { nowMs: NOW + 1 });
    const admin = redis.client();

    await admin.config("SET", "maxmemory", "1");
    for (const nowMs of [NOW + 2, NOW + 1_001, NOW + 60_000]) {
      const { expiresAt } = await sessions.load(sessionId, { at: using(nowMs) });
      expect(expiresAt).toBe(NOW + 60_001);
      const extension = sessions.extend(sessionId, { nowMs, ttlSeconds: undefined });
      await expect(extension).rejects.toMatchObject(UNAVAILABLE);
      const stale = commitOf(sessionId, { at: using(nowMs), baseVersion: 9 });
      expect(await sessions.commit(stale)).toMatchObject({ status: "stale", expiresAt });
    }
    expect(await readAll(sessions, sessionId)).toMatchObject({ expiresAt: NOW + 60_001 });

    await admin.config("SET", "maxmemory", "0");
    const { expiresAt } = await sessions.load(sessionId, { at: using(NOW + 2) });
    expect(expiresAt).toBe(NOW + 60_002);
  });
});

describe("an error that is a bug", () => {
  test("reaches the caller as it is, without the payload", async () => {
    await using redis = await startRedis();
    await using store = await openStoreAt(redis.url);
    const sessionId = await createSession(store.sessions);
    const admin = redis.client();
    const [head = ""] = await admin.keys("kato:*:s:*");
    await admin.set(head, "not a hash");

    const failure: unknown = await commitSecret(store, sessionId).catch((error: unknown) => error);

    expect(inspect(failure)).toContain("WRONGTYPE");
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain("a secret symbol");
  });
});

/** A commit that carries something to hide. */
function commitSecret({ sessions }: OpenStore, sessionId: string) {
  return sessions.commit(commitOf(sessionId, { delta: { events: [["a secret symbol"]] } }));
}
