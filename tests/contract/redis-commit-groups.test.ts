import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseSessionId } from "../../server/stores/session-id.ts";
import type { SessionStore } from "../../server/stores/session-store.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RecordedCommand } from "./recorded-commands.ts";
import { recordCommands } from "./recorded-commands.ts";
import { commitOf, createSession, NOW, readAll, using } from "./session-builders.ts";
import { AB, learnOf } from "./node-builders.ts";
import type { StorePlace } from "./store-place.ts";
import { openStoreAt, REDIS_DATABASES, redisPlaces, UNAVAILABLE } from "./store-place.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ config: { databases: String(REDIS_DATABASES) } });
});
afterAll(() => server.close());

const openPlace = redisPlaces(() => server);

function clientOf(place: StorePlace) {
  return server.client({ db: Number(place.url.split("/").at(-1)) });
}

function createSessions(store: SessionStore, count: number, nodeId = "node"): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, () => createSession(store, { nodeId, ttlSeconds: 3_600 })),
  );
}

/** One event more, which tells the session. */
function observe(store: SessionStore, sessionId: string, baseVersion = 0, nowMs = NOW) {
  const delta = { events: [[sessionId]] };
  const version = { baseVersion, baseMark: baseVersion === 0 ? "" : "m", mark: "m" };
  const at = using(nowMs);
  return store.commit(commitOf(sessionId, { at, ...version, time: baseVersion + 1, delta }));
}

const calls = (commands: readonly RecordedCommand[]) =>
  commands.filter(({ args: [name = ""], isScripted }) => !isScripted && /^eval/i.test(name));

async function eventsOf(store: SessionStore, sessionId: string): Promise<string[][]> {
  return (await readAll(store, sessionId)).stm;
}

describe("commits of one turn of the event loop", () => {
  test("on sessions of one node share a script call, up to 16 of them", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const ids = await createSessions(store, 40);
    await observe(store, ids[0]!);
    const others = ids.slice(1, 36);

    const commands = await recordCommands(clientOf(place), () =>
      Promise.all(others.map((id) => observe(store, id))),
    );

    expect(calls(commands)).toHaveLength(Math.ceil(others.length / 16));
    for (const id of others) expect(await eventsOf(store, id)).toEqual([[id]]);
    expect(await eventsOf(store, ids.at(-1)!)).toEqual([]);
  });

  test("on sessions of several nodes go apart, since a cluster may have them apart", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const one = await createSessions(store, 3, "one");
    const other = await createSessions(store, 3, "other");
    await observe(store, one.pop()!);

    const commands = await recordCommands(clientOf(place), () =>
      Promise.all([...one, ...other].map((id) => observe(store, id))),
    );

    expect(calls(commands)).toHaveLength(2);
  });

  test("get each their own answer: done, stale, missing, expired", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const [done, stale, missing] = (await createSessions(store, 3)) as [string, string, string];
    const expired = await createSession(store, { ttlSeconds: 1 });
    await store.delete(missing, NOW);
    await observe(store, stale);

    const later = NOW + 10_000;
    const outcomes = await Promise.allSettled(
      [done, stale, missing, expired].map((id) => observe(store, id, 0, later)),
    );

    expect(outcomes).toMatchObject([
      { value: { status: "committed", expiresAt: later + 3_600_000 } },
      { value: { status: "stale", state: { version: 1 }, expiresAt: later + 3_600_000 } },
      { reason: { code: "SESSION_NOT_FOUND" } },
      { reason: { code: "SESSION_EXPIRED" } },
    ]);
  });

  test("do not suffer from one that fails", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const [broken, ...sound] = (await createSessions(store, 4)) as [string, ...string[]];
    const { tag, suffix } = parseSessionId(broken)!;
    await clientOf(place).set(`kato:{${tag}}:s:${suffix}:stm`, "no list");

    const outcomes = await Promise.allSettled(
      [sound[0]!, broken, ...sound.slice(1)].map((id) => observe(store, id)),
    );

    expect(outcomes.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    expect(outcomes[1]).toMatchObject({
      reason: { message: expect.stringContaining("WRONGTYPE") },
    });
    for (const id of sound) expect(await eventsOf(store, id)).toEqual([[id]]);
  });

  test("on one session are made one after another, however they come", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const [id = "", other = ""] = await createSessions(store, 2);

    const results = await Promise.all([
      observe(store, id, 0),
      observe(store, other, 0),
      observe(store, id, 1),
      observe(store, id, 1),
    ]);

    expect(results.map(({ status }) => status)).toEqual([
      "committed",
      "committed",
      "committed",
      "stale",
    ]);
    expect(await eventsOf(store, id)).toEqual([[id], [id]]);
  });

  test("of which some clear empty those sessions alone", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const ids = await createSessions(store, 9);
    await Promise.all(ids.map((id) => observe(store, id)));
    const version = { baseVersion: 1, baseMark: "m", mark: "n" };

    const results = await Promise.all(
      ids.map((id, i) =>
        i % 3 === 1
          ? store.commit(commitOf(id, { ...version, time: 0, delta: { clearsStm: true } }))
          : store.commit(commitOf(id, { ...version, time: 2, delta: { events: [["more"]] } })),
      ),
    );

    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["committed"]));
    for (const [i, id] of ids.entries()) {
      const { stm, state } = await readAll(store, id);
      const due = i % 3 === 1 ? { stm: [], time: 0 } : { stm: [[id], ["more"]], time: 2 };
      expect({ stm, time: state.time }).toEqual(due);
    }
  });

  test("that learn go alone, each by itself", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const ids = await createSessions(store, 5);
    const learns = [learnOf(AB)];
    await observe(store, ids.pop()!);

    const commands = await recordCommands(clientOf(place), () =>
      Promise.all(
        ids.map((id, i) =>
          i < 2 ? observe(store, id) : store.commit(commitOf(id, { at: using(), learns })),
        ),
      ),
    );

    expect(new Set(calls(commands).map(({ args }) => args.length)).size).toBeGreaterThan(1);
    expect(calls(commands).filter(({ args: [name = ""] }) => /^evalsha$/i.test(name))).toHaveLength(
      3,
    );
  });

  test("are made once each when the server has lost its scripts, however many groups are under way", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const ids = [
      ...(await createSessions(store, 40, "one")),
      ...(await createSessions(store, 20, "other")),
    ];
    const client = clientOf(place);

    for (const baseVersion of [0, 1, 2]) {
      await client.script("FLUSH");
      const commands = await recordCommands(client, async () => {
        const results = await Promise.all(ids.map((id) => observe(store, id, baseVersion)));
        expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["committed"]));
      });
      const names = calls(commands).map(({ args: [name = ""] }) => name.toLowerCase());
      expect(names.filter((name) => name === "evalsha")).toHaveLength(3 + 2);
      expect(names).toContain("eval");
    }

    for (const id of ids) expect(await eventsOf(store, id)).toEqual([[id], [id], [id]]);
  });

  test("renew the life of all keys of a session, which mostly are not sent along", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const [id = ""] = await createSessions(store, 1);
    const { tag, suffix } = parseSessionId(id)!;
    await store.commit(
      commitOf(id, { at: using(), mark: "m", time: 1, delta: { emotives: [{ joy: 1 }] } }),
    );
    const lifeOf = (part: string) => clientOf(place).pttl(`kato:{${tag}}:s:${suffix}${part}`);
    const before = await lifeOf(":emotives");

    await observe(store, id, 1, NOW + 3_000_000);

    const lives = await Promise.all(["", ":stm", ":emotives"].map(lifeOf));
    expect(Math.min(...lives)).toBeGreaterThan(before - 60_000);
    expect(Math.min(...lives)).toBeGreaterThan(3_600_000);
  });
});

describe("commits of one turn where Redis is out of memory", () => {
  /** A store on a server of its own, whose memory is full after the sessions were made. */
  async function openFull(count: number) {
    await using opening = new AsyncDisposableStack();
    const redis = opening.use(await startRedis({ config: { "maxmemory-policy": "noeviction" } }));
    const { sessions: store } = opening.use(await openStoreAt(redis.url));
    const ids = await createSessions(store, count);
    await Promise.all(ids.map((id) => observe(store, id)));
    const admin = redis.client();
    await admin.config("SET", "maxmemory", "1");
    const open = opening.move();
    return {
      store,
      ids,
      free: () => admin.config("SET", "maxmemory", "0"),
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  }

  /** As `observe` would, on the session's one event, without moving the expiry, which would be a write before. */
  function change(sessionId: string, clearsStm = false) {
    const delta = { clearsStm, events: clearsStm ? [] : [["more"]] };
    const version = { baseVersion: 1, baseMark: "m", mark: "n" };
    return commitOf(sessionId, { ...version, time: clearsStm ? 0 : 2, delta });
  }

  test("are refused each whole, and done when there is room again", async () => {
    await using full = await openFull(20);
    const { store, ids } = full;

    const refused = await Promise.allSettled(ids.map((id) => store.commit(change(id))));
    const kept = await Promise.all(ids.map((id) => readAll(store, id)));
    await full.free();
    const done = await Promise.all(ids.map((id) => store.commit(change(id))));

    for (const outcome of refused) expect(outcome).toMatchObject({ reason: UNAVAILABLE });
    expect(kept.map(({ stm, state }) => [stm, state.version])).toEqual(
      ids.map((id) => [[[id]], 1]),
    );
    expect(new Set(done.map(({ status }) => status))).toEqual(new Set(["committed"]));
    for (const id of ids) expect(await eventsOf(store, id)).toEqual([[id], ["more"]]);
  });

  test("are each done whole or refused whole when one among them clears, which is done", async () => {
    await using full = await openFull(9);
    const { store, ids } = full;
    const clearing = ids[4]!;

    const outcomes = await Promise.allSettled(
      ids.map((id) => store.commit(change(id, id === clearing))),
    );

    // What it frees is there for those after it.
    for (const outcome of outcomes.slice(0, 4)) {
      expect(outcome).toMatchObject({ reason: UNAVAILABLE });
    }
    expect(outcomes[4]).toMatchObject({ value: { status: "committed" } });
    for (const [i, id] of ids.entries()) {
      const isDone = outcomes[i]!.status === "fulfilled";
      const { stm, state } = await readAll(store, id);
      const after = id === clearing ? [] : [[id], ["more"]];
      expect([state.version, stm]).toEqual(isDone ? [2, after] : [1, [[id]]]);
    }
  });
});
