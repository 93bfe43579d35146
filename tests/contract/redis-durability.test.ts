import { createSessionId } from "../../server/stores/session-id.ts";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Durability } from "../../server/stores/durability.ts";
import { DurabilityError } from "../../server/stores/durability.ts";
import type { OpenStore, StoreRules } from "../../server/stores/open-store.ts";
import { NODES_KEY } from "../../server/stores/redis/keys.ts";
import { startReplicatedRedis } from "../support/redis-replica.ts";
import type { ReplicatedRedis } from "../support/redis-replica.ts";
import { startRedis } from "../support/redis-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { AB, BC, learnAll, learnOf, TAG } from "./node-builders.ts";
import { commitOf, createSession, looking, newSession, NOW, readAll } from "./session-builders.ts";
import { IMPATIENT, openStoreAt, UNAVAILABLE } from "./store-place.ts";

const REPLICATED: Durability = { kind: "replicated", replicas: 1 };
const FSYNC: Durability = { kind: "fsync" };

/** A first observation, with an id by which a repeat is known. */
function observation(sessionId: string, id = "a") {
  return commitOf(sessionId, {
    delta: { events: [[id]] },
    ids: [id],
    outcomes: [{ id, reply: null }],
  });
}

/** The version that a session's hash has on one server; null where it has no such session. */
function versionAt({ client }: ReplicatedRedis["master"], sessionId: string) {
  const [tag, suffix] = sessionId.split("-");
  return client.hget(`kato:{${tag}}:s:${suffix}`, "v");
}

describe("a store that acknowledges what a replica has", () => {
  let redis: ReplicatedRedis;
  let patient: OpenStore & AsyncDisposable;
  beforeAll(async () => {
    redis = await startReplicatedRedis();
    patient = await openStoreAt(redis.master.server.url, { durability: REPLICATED });
  });
  afterAll(async () => {
    await patient[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const openStore = (rules: Partial<StoreRules> = {}) =>
    openStoreAt(redis.master.server.url, { durability: REPLICATED, ...rules });

  /** Freezes the replica until the end of the test, or until `resume`. */
  async function pauseReplica(): Promise<{ resume(): Promise<void> }> {
    const { server } = redis.replica;
    await server.pause();
    let isPaused = true;
    const resume = async () => {
      if (isPaused) await server.resume();
      isPaused = false;
    };
    onTestFinished(resume);
    return { resume };
  }

  test("answers when the replica has the change, and not before", async () => {
    const sessionId = await createSession(patient.sessions);
    const { resume } = await pauseReplica();
    let isAnswered = false;

    const commit = patient.sessions.commit(observation(sessionId)).finally(() => {
      isAnswered = true;
    });
    await waitFor(async () => (await versionAt(redis.master, sessionId)) === "1", {
      what: "the change on the master",
    });
    // Round trips that come after the change's own, also on the connection that waits for the replica.
    for (let i = 0; i < 20; i++) await patient.sessions.ping();
    expect(isAnswered).toBe(false);
    await resume();

    expect(await commit).toMatchObject({ status: "committed" });
    expect(await versionAt(redis.replica, sessionId)).toBe("1");
  });

  test("has each of many changes on the replica at the moment it answers", async () => {
    const late: string[] = [];

    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const sessionId = await createSession(patient.sessions, { nodeId: `node ${i % 5}` });
        if ((await versionAt(redis.replica, sessionId)) !== "0") late.push(`create ${i}`);
        await patient.sessions.commit(observation(sessionId));
        if ((await versionAt(redis.replica, sessionId)) !== "1") late.push(`commit ${i}`);
      }),
    );

    expect(late).toEqual([]);
  });

  test("neither acknowledges a change nor a repeat of it that the replica does not have", async () => {
    await using store = await openStore(IMPATIENT);
    const sessionId = await createSession(patient.sessions);
    const { resume } = await pauseReplica();
    const commit = observation(sessionId);

    const first = store.sessions.commit(commit);
    await expect(first).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringMatching(/only 0 of 1 replicas.*repeat the call with the same id/),
    });
    await using another = await openStore(IMPATIENT);
    for (const { sessions } of [store, another]) {
      // Its id is remembered by now, and shown neither by a commit nor by a load that asks for it.
      const load = () => sessions.load(sessionId, { at: looking(), ids: ["a"] });
      await expect(sessions.commit(commit)).rejects.toMatchObject(UNAVAILABLE);
      await expect(load()).rejects.toMatchObject(UNAVAILABLE);
    }
    await resume();

    await using later = await openStore();
    const repeat = await later.sessions.commit(commit);
    expect(repeat).toMatchObject({ status: "stale", seen: new Map([["a", null]]) });
    expect(await versionAt(redis.replica, sessionId)).toBe("1");
    expect((await readAll(later.sessions, sessionId)).stm).toEqual([["a"]]);
  });

  test("acknowledges repeats where no memory is left, with the replica and not without", async () => {
    await using store = await openStore(IMPATIENT);
    const { sessions, nodes } = store;
    const [sessionId, deleted] = [await createSession(sessions), await createSession(sessions)];
    await sessions.commit(observation(sessionId));
    await sessions.delete(deleted, NOW, "d");
    await nodes.change(TAG, { kind: "finalize" }, { id: "f", digest: "", nowMs: NOW });
    const { client } = redis.master;
    await client.config("SET", "maxmemory", "1", "maxmemory-policy", "noeviction");
    onTestFinished(async () => {
      await client.config("SET", "maxmemory", "0");
    });
    const repeats = [
      () => sessions.load(sessionId, { at: looking(), ids: ["a"] }),
      () => sessions.commit(observation(sessionId)),
      () => sessions.delete(deleted, NOW, "d"),
      () => nodes.change(TAG, { kind: "finalize" }, { id: "f", digest: "", nowMs: NOW }),
    ];

    const { resume } = await pauseReplica();
    // A write of another connection, which the replica does not have.
    await client.pexpire(NODES_KEY, 10_000_000);
    for (const repeat of repeats) {
      await expect(repeat()).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining("only 0 of 1 replicas"),
      });
    }
    await resume();

    const [loaded, ...others] = await Promise.all(repeats.map((repeat) => repeat()));
    expect(loaded).toMatchObject({ seen: new Map([["a", null]]) });
    expect(others).toMatchObject([
      { status: "stale", seen: new Map([["a", null]]) },
      "repeated",
      { firstDigest: "" },
    ]);
    await expect(createSession(sessions)).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("out of memory"),
    });
  });

  const CALLS: [name: string, call: (store: OpenStore, sessionId: string) => Promise<unknown>][] = [
    ["a creation", ({ sessions }) => createSession(sessions)],
    ["a repeated creation", ({ sessions }) => createSession(sessions, { requestId: "again" })],
    [
      "a commit that learns",
      ({ sessions }, id) => sessions.commit(commitOf(id, { learns: [learnOf(AB)] })),
    ],
    ["an extension", ({ sessions }, id) => sessions.extend(id, { nowMs: NOW, ttlSeconds: 90_000 })],
    ["a deletion", ({ sessions }, id) => sessions.delete(id, NOW)],
    ["a repeated deletion", ({ sessions }) => sessions.delete(newSession().sessionId, NOW)],
    [
      "a correction",
      ({ nodes }) =>
        nodes.change(TAG, { kind: "correct", hash: learnOf(BC).hash, frequency: 2, emotives: [] }),
    ],
    ["a finalize", ({ nodes }) => nodes.change(TAG, { kind: "finalize" })],
  ];

  test.each(CALLS)("acknowledges %s only with the replica", async (_name, call) => {
    await using store = await openStore(IMPATIENT);
    const sessionId = await createSession(patient.sessions);
    await createSession(patient.sessions, { requestId: "again" });
    await learnAll(patient, [learnOf(BC)]);
    const { resume } = await pauseReplica();

    await expect(call(store, sessionId)).rejects.toMatchObject(UNAVAILABLE);
    await resume();
  });

  test("goes on to answer what changes nothing while changes wait", async () => {
    const sessionId = await createSession(patient.sessions);
    const { resume } = await pauseReplica();
    const commit = patient.sessions.commit(observation(sessionId));
    await waitFor(async () => (await versionAt(redis.master, sessionId)) === "1", {
      what: "the change on the master",
    });

    const page = { cursor: undefined, limit: 10, nowMs: NOW };
    expect((await readAll(patient.sessions, sessionId)).stm).toEqual([["a"]]);
    expect((await patient.sessions.listSessions("node", page)).items).not.toEqual([]);
    expect(await patient.nodes.readHead(TAG)).toMatchObject({ position: expect.any(String) });
    await expect(
      patient.sessions.commit(commitOf("A".repeat(22) + "-" + "B".repeat(22), {})),
    ).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await resume();
    await commit;
  });

  test("answers at once what changes nothing, though a change of the same turn waits", async () => {
    const sessionId = await createSession(patient.sessions);
    const { resume } = await pauseReplica();

    const change = patient.sessions.commit(observation(sessionId));
    const missing = patient.sessions.commit(observation(createSessionId("node")));

    await expect(missing).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await resume();
    expect(await change).toMatchObject({ status: "committed" });
  });

  test("tells in words what may be lost, and when replicas are missing", async () => {
    await using store = await openStore({ durability: { kind: "replicated", replicas: 3 } });

    expect(await patient.durability()).toMatchObject({
      setting: "replicated:1",
      window: expect.stringMatching(/^a replica has all of it/),
      warnings: [],
    });
    expect((await store.durability()).warnings).toEqual([
      "KATO_DURABILITY=replicated:3 with 1 of 3 replicas connected: no change is acknowledged",
    ]);
  });
});

describe("a change that the server loses before it is confirmed", () => {
  test("is not acknowledged on what comes after", async () => {
    await using redis = await startReplicatedRedis();
    const { master, replica } = redis;
    await using store = await openStoreAt(master.server.url, { durability: REPLICATED });
    const { sessions } = store;
    const [first, second] = [await createSession(sessions), await createSession(sessions)];
    await replica.server.pause();
    // The first waits for the replica, the second for the first.
    const both: Promise<unknown>[] = [];
    for (const sessionId of [first, second]) {
      both.push(sessions.commit(observation(sessionId)).catch((error: unknown) => error));
      await waitFor(async () => (await versionAt(master, sessionId)) === "1", {
        what: "the change on the master",
      });
    }

    await master.server.kill();
    await master.server.restart();
    await replica.server.resume();

    expect(await Promise.all(both)).toMatchObject([
      UNAVAILABLE,
      { ...UNAVAILABLE, message: expect.stringMatching(/the server has lost it again/) },
    ]);
    expect(await versionAt(master, second)).toBe(null);
    // And the store works again once the replica follows.
    expect(await waitFor(() => createSession(sessions), { what: "the store" })).toBeTruthy();
  });
});

describe("a store that acknowledges what is on disk", () => {
  test("does so on a log that is written before each reply, and finds it after a crash", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using store = await openStoreAt(redis.url, { durability: FSYNC });
    const sessionId = await createSession(store.sessions);
    await store.sessions.commit(observation(sessionId));

    await redis.kill();
    await redis.restart();

    expect((await readAll(store.sessions, sessionId)).stm).toEqual([["a"]]);
    expect(await store.sessions.commit(observation(sessionId))).toMatchObject({ status: "stale" });
    expect((await store.durability()).window).toMatch(
      /crash of Redis or of its machine loses nothing/,
    );
  });

  test("is not opened without a log", async () => {
    await using redis = await startRedis();

    await expect(openStoreAt(redis.url, { durability: FSYNC })).rejects.toThrow(
      /^KATO_DURABILITY=fsync: .*appendonly/,
    );
  });

  test("is opened while the server is away, and works when it is back", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await redis.stop();
    await using store = await openStoreAt(redis.url, { ...IMPATIENT, durability: FSYNC });

    await expect(createSession(store.sessions)).rejects.toMatchObject(UNAVAILABLE);
    await redis.restart();

    const create = () => createSession(store.sessions);
    expect(await waitFor(create, { what: "the store to work" })).toBeTruthy();
  });
});

const hasWaitAof = await findWaitAof();

describe.skipIf(hasWaitAof)("fsync on a Redis before 7.2", () => {
  test.each([
    [{ appendfsync: "everysec" }, /older than 7\.2 .* appendfsync is everysec: set always/],
    [{ appendfsync: "no" }, /older than 7\.2 .* appendfsync is no: set always/],
    [{ "no-appendfsync-on-rewrite": "yes" }, /no-appendfsync-on-rewrite is yes/],
  ])("is refused with %j", async (config, reason) => {
    await using redis = await startRedis({ appendOnly: "always", config });

    const opened = openStoreAt(redis.url, { durability: FSYNC });
    await expect(opened).rejects.toThrow(reason);
    await expect(opened).rejects.toBeInstanceOf(DurabilityError);
  });

  test("is refused where nobody may look at the server's settings", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await redis.client().acl("SETUSER", "default", "-config");

    await expect(openStoreAt(redis.url, { durability: FSYNC })).rejects.toThrow(
      /does not permit CONFIG GET/,
    );
  });

  test("looks again at a server that was connected anew, and acknowledges nothing it cannot", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using store = await openStoreAt(redis.url, { durability: FSYNC });
    const sessionId = await createSession(store.sessions);
    const admin = redis.client();
    await admin.config("SET", "appendfsync", "everysec");

    await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await waitFor(() => store.sessions.ping(), { what: "the new connection" });
    await expect(store.sessions.commit(observation(sessionId))).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringMatching(/appendfsync is everysec/),
    });

    await admin.config("SET", "appendfsync", "always");
    const repeat = await store.sessions.commit(observation(sessionId));
    expect(repeat).toMatchObject({ status: "committed" });
  });

  test.each([
    ["appendfsync", "always", "no"],
    ["appendonly", "yes", "no"],
    ["no-appendfsync-on-rewrite", "no", "yes"],
  ])(
    "acknowledges nothing, and says why, from when %s is no longer %s",
    async (name, right, wrong) => {
      await using redis = await startRedis({ appendOnly: "always" });
      await using store = await openStoreAt(redis.url, { durability: FSYNC });
      const sessionId = await createSession(store.sessions);
      const admin = redis.client();
      await store.sessions.commit(observation(sessionId));
      const reason = expect.stringContaining(`${name} is ${wrong}`);

      await admin.config("SET", name, wrong);
      const next = commitOf(sessionId, {
        baseVersion: 1,
        delta: { events: [["b"]] },
        ids: ["b"],
        outcomes: [{ id: "b", reply: null }],
      });
      for (const commit of [next, observation(sessionId)]) {
        const refused = store.sessions.commit(commit);
        await expect(refused).rejects.toMatchObject({ ...UNAVAILABLE, message: reason });
      }
      const { window, warnings } = await store.durability();
      expect({ window, warnings }).toEqual({
        window: expect.stringMatching(/^nothing is acknowledged now/),
        warnings: [reason],
      });

      await admin.config("SET", name, right);
      const repeat = () => store.sessions.commit(next);
      expect(await waitFor(repeat, { what: "the log" })).toMatchObject({
        status: "stale",
        seen: new Map([["b", null]]),
      });
      // A log that was just turned on again holds up an orderly end.
      await redis.kill();
    },
  );
});

describe.skipIf(!hasWaitAof)("fsync on a Redis with WAITAOF", () => {
  test("answers when the log is on disk, and not before", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using store = await openStoreAt(redis.url, { ...IMPATIENT, durability: FSYNC });
    const sessionId = await createSession(store.sessions);
    const admin = redis.client();
    // From here on nothing is brought to disk.
    await admin.config("SET", "appendfsync", "no");
    const commit = observation(sessionId);

    await expect(store.sessions.commit(commit)).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringMatching(/not on disk so far/),
    });
    await expect(store.sessions.commit(commit)).rejects.toMatchObject(UNAVAILABLE);
    await admin.config("SET", "appendfsync", "always");

    expect(await store.sessions.commit(commit)).toMatchObject({ status: "stale" });
  });

  test("asks for a repeat of what was made while the log was turned off, and tells of it", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using store = await openStoreAt(redis.url, { durability: FSYNC });
    const sessionId = await createSession(store.sessions);
    const admin = redis.client();
    await admin.config("SET", "appendonly", "no");
    const commit = observation(sessionId);

    for (let i = 0; i < 2; i += 1) {
      await expect(store.sessions.commit(commit)).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringMatching(/the change was made.*appendonly.*repeat the call/),
      });
    }
    expect(await store.durability()).toMatchObject({
      window: expect.stringMatching(/^nothing is acknowledged now/),
      warnings: [expect.stringContaining("appendonly is no")],
    });

    await admin.config("SET", "appendonly", "yes");
    const repeat = () => store.sessions.commit(commit);
    expect(await waitFor(repeat, { what: "the log" })).toMatchObject({ status: "stale" });
  });

  test("waits for a log that is written every second", async () => {
    await using redis = await startRedis({ appendOnly: "everysec" });
    await using store = await openStoreAt(redis.url, { durability: FSYNC });

    const sessionId = await createSession(store.sessions);

    const persistence = await redis.client().info("persistence");
    expect(persistence).toContain("aof_pending_bio_fsync:0");
    expect(await store.sessions.commit(observation(sessionId))).toMatchObject({
      status: "committed",
    });
  });

  test("is refused where the log is left to the system", async () => {
    await using redis = await startRedis({ appendOnly: "always", config: { appendfsync: "no" } });

    await expect(openStoreAt(redis.url, { durability: FSYNC })).rejects.toThrow(
      /appendfsync is no, so that nothing is ever known to be on disk/,
    );
  });
});

describe("a store that cannot be asked to wait", () => {
  test("is not opened with replicated where the user may not WAIT", async () => {
    await using redis = await startRedis();
    await redis.client().acl("SETUSER", "default", "-wait");

    await expect(openStoreAt(redis.url, { durability: REPLICATED })).rejects.toThrow(
      /^KATO_DURABILITY=replicated:1: the server cannot WAIT for replicas: NOPERM/,
    );
  });
});

/** Whether the redis-server of these tests has WAITAOF, as from 7.2 on. */
async function findWaitAof(): Promise<boolean> {
  await using redis = await startRedis();
  const found = (await redis.client().call("COMMAND", "INFO", "WAITAOF")) as unknown[];
  return found[0] !== null;
}
