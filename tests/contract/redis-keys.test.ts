import * as fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeTag, parseSessionId } from "../../server/stores/session-id.ts";
import type { NodeRequest, NodeStore } from "../../server/stores/node-store.ts";
import { LOG_START } from "../../server/stores/node-store.ts";
import type { OpenStore } from "../../server/stores/open-store.ts";
import type { Learn, SessionStore } from "../../server/stores/session-store.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { walkSessions } from "./listing-suite.ts";
import { AB, BC, indexOf, learnAll, learnOf, TAG } from "./node-builders.ts";
import { recordCommands } from "./recorded-commands.ts";
import type { RecordedCommand } from "./recorded-commands.ts";
import {
  commitOf,
  createSession,
  DAY_MS,
  newSession,
  NOW,
  numberedEvents,
  readAll,
  SESSION_PARTS,
  using,
} from "./session-builders.ts";
import { operations, replay } from "./store-operations.ts";
import type { StorePlace } from "./store-place.ts";
import { ageKeys, findKeys, REDIS_DATABASES, redisPlaces } from "./store-place.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ config: { databases: String(REDIS_DATABASES) } });
});
afterAll(() => server.close());

const openPlace = redisPlaces(() => server);

/** Last parts of the keys of a node's long-term memory. */
const MEMORY =
  "memory|names|patterns|frequencies|emotives|metadata|symbols|symbol-frequencies|members|affinity|vectors|finalized|log";

/** A client of the database in which a place has its keys. */
function clientOf(place: StorePlace): Redis {
  return server.client({ db: Number(place.url.split("/").at(-1)) });
}

/** Touches every key that a session can have. */
function commitEverything(store: SessionStore, sessionId: string, fields: object = {}) {
  return store.commit(
    commitOf(sessionId, {
      at: using(NOW + 30_000),
      delta: {
        clearsStm: true,
        clearsAccumulators: true,
        events: numberedEvents(3),
        emotives: [{ joy: 1 }],
        metadata: [{ a: 1 }],
        clearsVectors: true,
        vectors: [{ name: "v", vector: [1] }],
        percept: { strings: [], vectors: [], metadata: {} },
        config: { maxPatternLength: 1 },
      },
      ids: ["a"],
      outcomes: [{ id: "a", reply: 1 }],
      ...fields,
    }),
  );
}

describe("the keys that a call touches", () => {
  const calls: [
    name: string,
    call: (store: SessionStore, sessionId: string) => Promise<unknown>,
  ][] = [
    ["commit", (store, id) => commitEverything(store, id)],
    ["stale commit", (store, id) => commitEverything(store, id, { baseVersion: 7 })],
    ["load", (store, id) => store.load(id, { at: using(NOW + 1), parts: SESSION_PARTS })],
    ["extension", (store, id) => store.extend(id, { nowMs: NOW, ttlSeconds: 90_000 })],
    ["deletion", (store, id) => store.delete(id, NOW)],
    ["look", (store, id) => store.find(id, NOW)],
  ];

  test.each(calls)("of a %s are those of its session, all declared", async (_name, call) => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const others = ["node", "other"].map((nodeId) => createSession(sessions, { nodeId }));
    for (const id of await Promise.all(others)) await commitEverything(sessions, id);
    const sessionId = await createSession(sessions);
    await call(sessions, await createSession(sessions)); // The script is known from here on.
    const client = clientOf(place);
    const before = await dumpKeys(client);

    const commands = await recordCommands(client, () => call(sessions, sessionId));

    expect(commands.filter(({ isScripted }) => !isScripted)).toHaveLength(1);
    const { tag, suffix } = parseSessionId(sessionId)!;
    const own = new RegExp(`^kato:\\{${tag}\\}:(sessions$|s:${suffix}(:|$))`);
    expectDeclared(commands, own);
    const changed = changedKeys(before, await dumpKeys(client));
    expect(changed.filter((key) => !own.test(key))).toEqual([]);
  });

  const learns = [
    learnOf(AB, {
      emotives: [{ joy: 0.1 }],
      metadata: [{ source: "eye" }],
      vectors: [{ name: "v", vector: [1, 2] }],
    }),
    learnOf(BC),
    learnOf(AB, { emotives: [{ joy: 0.2 }], metadata: [{ source: "ear" }] }),
    indexOf({ name: "w", vector: [3, 4] }),
  ];
  test("of a commit that learns are those of its session and of its node's memory, all declared", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    await commitEverything(sessions, await createSession(sessions, { nodeId: "other" }), {
      learns,
    });
    await commitEverything(sessions, await createSession(sessions), { learns });
    const sessionId = await createSession(sessions);
    const client = clientOf(place);
    const before = await dumpKeys(client);

    const commands = await recordCommands(client, () =>
      commitEverything(sessions, sessionId, { learns }),
    );

    const { tag, suffix } = parseSessionId(sessionId)!;
    const own = new RegExp(`^kato:\\{${tag}\\}:(sessions$|s:${suffix}(:|$)|(${MEMORY})$)`);
    expectDeclared(commands, own);
    const changed = changedKeys(before, await dumpKeys(client));
    expect(changed.filter((key) => !own.test(key))).toEqual([]);
  });

  test.each<[name: string, call: (nodes: NodeStore) => Promise<unknown>]>([
    ["correction", (nodes) => nodes.change(TAG, { kind: "correct", ...CORRECTION }, request())],
    [
      "forgotten pattern",
      (nodes) => nodes.change(TAG, { kind: "forget", hash: learnOf(BC).hash }, request()),
    ],
    ["finalize", (nodes) => nodes.change(TAG, { kind: "finalize" }, request())],
    ["clear", (nodes) => nodes.change(TAG, { kind: "clear" }, request())],
    ["page of patterns", (nodes) => nodes.readRows(TAG, "patterns", { cursor: null, limit: 1 })],
    ["page of vectors", (nodes) => nodes.readRows(TAG, "vectors", { cursor: null, limit: 1 })],
    ["list of patterns", (nodes) => nodes.listPatterns(TAG, { after: 0, limit: 9 })],
    ["pattern", (nodes) => nodes.findPattern(TAG, learnOf(AB).hash)],
    ["list of symbols", (nodes) => nodes.listSymbols(TAG, { after: undefined, limit: 9 })],
    ["look at symbols", (nodes) => nodes.findSymbols(TAG, ["a", "z"])],
    ["look at totals", (nodes) => nodes.readTotals(TAG)],
    ["look at the head", (nodes) => nodes.readHead(TAG)],
    ["look at the log", (nodes) => nodes.readLog(TAG, LOG_START, 9)],
  ])("of a %s are those of the node's memory, all declared", async (_name, call) => {
    await using place = await openPlace();
    const store = await place.open();
    await learnAll(store, learns);
    await call(store.nodes); // The script is known from here on.
    await learnAll(store, learns);

    const commands = await recordCommands(clientOf(place), () => call(store.nodes));

    expect(commands.filter(({ isScripted }) => !isScripted)).toHaveLength(1);
    expectDeclared(commands, new RegExp(`^kato:\\{${TAG}\\}:(${MEMORY}|requests|request-ids)$`));
  });

  test("of a commit that learns nothing are none of its node's memory", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    await commitEverything(sessions, await createSession(sessions), { learns });
    const sessionId = await createSession(sessions);
    await commitEverything(sessions, await createSession(sessions));

    const commands = await recordCommands(clientOf(place), () =>
      commitEverything(sessions, sessionId),
    );

    const memory = new RegExp(`^kato:\\{${TAG}\\}:(${MEMORY})$`);
    expect(keysIn(commands).filter((key) => memory.test(key))).toEqual([]);
  });

  test.each([
    ["new pattern", AB],
    ["known pattern", BC],
  ])(
    "of a learn of a %s are as many, by the same commands, whatever the node holds",
    async (_, events) => {
      await using place = await openPlace();
      const store = await place.open();
      const record = async (nodeId: string, count: number) => {
        const others = Array.from({ length: count }, (_, i) => learnOf([["a"], ["b"], [`${i}`]]));
        await learnAll(store, [learnOf(BC, { emotives: [{ joy: 1 }] }), ...others], { nodeId });
        const learn = learnOf(events, { emotives: [{ joy: 2 }], metadata: [{ source: "eye" }] });
        const commands = await recordCommands(clientOf(place), () =>
          learnOnce(store, nodeId, learn),
        );
        return commands.map(({ args }) => [args[0]!.toLowerCase(), args.length]);
      };
      await record("first", 1);

      const amongFew = await record("few", 10);
      const amongMany = await record("many", 3_000);

      expect(amongMany).toEqual(amongFew);
      expect(amongMany.length).toBeLessThan(35);
    },
  );

  test("of a creation are those of its node and the list of nodes", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    await createSession(sessions, { requestId: "other" });
    const client = clientOf(place);
    const session = newSession({ nodeId: "{other}* :node", requestId: "once" });

    const commands = await recordCommands(client, () => sessions.create(session));

    const ofNode = `kato:{${nodeTag(session.nodeId)}}:`;
    const outside = keysIn(commands).filter((key) => !key.startsWith(ofNode));
    expect(outside).toEqual(["kato:nodes"]);
  });

  test("are as many, by the same commands, whatever the session holds", async () => {
    await using place = await openPlace();
    const retention = { events: 5_000, accumulated: 5_000, outcomes: 5_000, outcomesMs: 3_600_000 };
    const { sessions } = await place.open({ retention });
    const client = clientOf(place);
    const record = async (count: number) => {
      const sessionId = await createSession(sessions);
      await sessions.commit(
        commitOf(sessionId, {
          delta: {
            events: numberedEvents(count),
            emotives: Array.from({ length: count }, () => ({ joy: 1 })),
          },
          outcomes: Array.from({ length: count }, (_, i) => ({ id: `id${i}`, reply: i })),
        }),
      );
      const commands = await recordCommands(client, () =>
        sessions.commit(
          commitOf(sessionId, {
            at: using(),
            baseVersion: 1,
            delta: { events: [["new"]], emotives: [{ joy: 2 }] },
            ids: ["new"],
            outcomes: [{ id: "new", reply: 0 }],
          }),
        ),
      );
      return commands.map(({ args }) => [args[0]!.toLowerCase(), args.length]);
    };
    await record(1);

    const ofFew = await record(10);
    const ofMany = await record(3_000);

    expect(ofMany).toEqual(ofFew);
    expect(ofMany.length).toBeLessThan(16);
    expect(ofMany.flat()).not.toContain("lrange");
  });
});

describe("the lives of keys", () => {
  const PERMANENT = new RegExp(`^kato:(nodes|fleet|\\{[^}]+\\}:(node|${MEMORY}))$`);

  test("end some day, whatever was done, except those that name nodes and workers or hold what was learned", async () => {
    await fc.assert(
      fc.asyncProperty(operations, async (script) => {
        await using place = await openPlace();
        const { sessions, fleet } = await place.open({
          retention: { events: 5, accumulated: 4, outcomes: 6, outcomesMs: 3_600_000 },
        });
        await fleet.publish("w", "report", 60_000);
        await replay({ store: sessions, passTime: (ms) => place.passTime(ms) }, script);

        const client = clientOf(place);
        const endless: string[] = [];
        for (const key of await findKeys(client)) {
          if ((await client.pttl(key)) <= 0 && !PERMANENT.test(key)) endless.push(key);
        }
        client.disconnect();
        expect(endless).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test("are longer than the session's, however it was used", async () => {
    const use = fc.record({
      kind: fc.constantFrom("load", "extend", "observe", "commit", "clear"),
      afterMs: fc.constantFrom(0, 1, 499, 500, 20_000, 58_500, 58_501, 59_500, 60_000),
      ttlSeconds: fc.constantFrom(1, 60, 3_600, 2_592_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(use, { maxLength: 20 }), async (uses) => {
        await using place = await openPlace();
        const { sessions } = await place.open();
        const client = clientOf(place);
        const sessionId = await createSession(sessions);
        const { suffix } = parseSessionId(sessionId)!;
        await commitEverything(sessions, sessionId, { at: using() });
        let [nowMs, version, expiresAt] = [NOW, 1, NOW + 60_000];
        for (const { kind, afterMs, ttlSeconds } of uses) {
          if (nowMs + afterMs > expiresAt) continue;
          nowMs += afterMs;
          await ageKeys(client, afterMs);
          const at = using(nowMs);
          if (kind === "load") await sessions.load(sessionId, { at });
          else if (kind === "extend") await sessions.extend(sessionId, { nowMs, ttlSeconds });
          else {
            const emotives = kind === "observe" ? [] : [{ joy: 1 }];
            const delta = { clearsStm: kind === "clear", events: [["a"]], emotives };
            await sessions.commit(commitOf(sessionId, { at, baseVersion: version, delta }));
            version += 1;
          }
          ({ expiresAt } = await readAll(sessions, sessionId, { nowMs }));
          const left = expiresAt - nowMs;
          for (const key of await findKeys(client)) {
            if (key.includes(suffix)) expect(await client.pttl(key), key).toBeGreaterThan(left);
            if (key.endsWith(":sessions"))
              expect(await client.pttl(key)).toBeGreaterThan(left + DAY_MS);
          }
        }
        client.disconnect();
      }),
      { numRuns: 30 },
    );
  });

  test("of a node's list outlast the session that lives longest, whoever comes and goes", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const lasting = await createSession(sessions, { ttlSeconds: 2_592_000 });
    const brief = await createSession(sessions);
    for (const afterMs of [59_500, 59_500, 59_500]) {
      await place.passTime(afterMs);
      await sessions.load(brief, { at: using(NOW + 59_500) });
      await sessions.extend(brief, { nowMs: NOW + 60_000, ttlSeconds: 90 });
    }
    await createSession(sessions, { ttlSeconds: 1 });

    await place.passTime(20 * DAY_MS);

    expect(await sessions.find(lasting, NOW + 20 * DAY_MS)).toBe("live");
    expect((await readAll(sessions, lasting, { nowMs: NOW + 20 * DAY_MS })).stm).toEqual([]);
  });

  test("end with the session's when it is deleted", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions);
    await commitEverything(sessions, sessionId);

    await sessions.delete(sessionId, NOW);

    const keys = await findKeys(clientOf(place));
    expect(keys).toEqual([`kato:{${nodeTag("node")}}:node`, "kato:nodes"].toSorted());
  });

  test("end a while after the session's when it expires; its name stays for a day", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions);
    await commitEverything(sessions, sessionId, { at: using() });
    const client = clientOf(place);
    const { tag, suffix } = parseSessionId(sessionId)!;

    await place.passTime(60_000 + 61_000);
    expect((await findKeys(client)).filter((key) => key.includes(suffix))).toEqual([]);
    expect(await sessions.find(sessionId, NOW + 121_000)).toBe("expired");
    expect(await client.zcard(`kato:{${tag}}:sessions`)).toBe(1);

    await place.passTime(DAY_MS);
    expect(await client.exists(`kato:{${tag}}:sessions`)).toBe(0);
  });

  test("of what is remembered of a node's requests end with the window", async () => {
    await using place = await openPlace();
    const { nodes } = await place.open();
    const client = clientOf(place);
    const keys = ["requests", "request-ids"].map((name) => `kato:{${TAG}}:${name}`);

    await nodes.change(TAG, { kind: "finalize" }, request());
    for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(3_590_000);
    await ageKeys(client, 3_600_000);

    expect(await client.exists(...keys)).toBe(0);
  });

  test("of the names of expired sessions end a day later, though the node lives on", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    for (let i = 0; i < 60; i += 1) await createSession(sessions);

    const nowMs = NOW + 60_001 + DAY_MS;
    for (let i = 0; i < 2; i += 1) await createSession(sessions, { nowMs });

    expect(await clientOf(place).zcard(`kato:{${nodeTag("node")}}:sessions`)).toBe(2);
  });
});

describe("the zset of a node's sessions", () => {
  test("is written by the first of the contacts within one second only", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions, { nowMs: NOW + 1 });
    const { tag, suffix } = parseSessionId(sessionId)!;
    const client = clientOf(place);
    const names = `kato:{${tag}}:sessions`;
    const end = NOW + 61_000;
    expect(await client.zscore(names, suffix)).toBe(String(end));

    // What is written then would be seen.
    await client.zadd(names, end - 1, suffix);
    for (const ms of [2, 500, 1_000]) await sessions.load(sessionId, { at: using(NOW + ms) });
    expect(await client.zscore(names, suffix)).toBe(String(end - 1));

    await sessions.load(sessionId, { at: using(NOW + 1_001) });
    expect(await client.zscore(names, suffix)).toBe(String(end + 1_000));
  });

  test("is not touched by a commit within the second of another", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions, { nowMs: NOW + 1 });
    const observe = (ms: number, baseVersion: number) =>
      sessions.commit(
        commitOf(sessionId, { at: using(NOW + ms), baseVersion, delta: { events: [["a"]] } }),
      );
    await observe(2, 0);

    const commands = await recordCommands(clientOf(place), () => observe(1_000, 1));

    expect(commands.length).toBeGreaterThan(2);
    expect(commands.filter(({ args: [name = ""] }) => /^z/i.test(name))).toEqual([]);
    expect((await readAll(sessions, sessionId)).expiresAt).toBe(NOW + 61_000);
  });

  test("is counted by calls that declare what they look at, the heads of some sessions too", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const ids = [1, 2, 3].map((ms) => createSession(sessions, { nowMs: NOW + ms }));
    const suffixes = (await Promise.all(ids)).map((id) => parseSessionId(id)!.suffix);
    const { tag } = parseSessionId(await ids[0]!)!;
    const count = () => sessions.countSessions("node", NOW + 60_002);
    await count(); // The scripts are known from here on.

    const commands = await recordCommands(clientOf(place), async () => {
      expect(await count()).toBe(2);
      const pages = await walkSessions(sessions, "node", { limit: 1, nowMs: NOW + 60_002 });
      expect(pages.flat()).toHaveLength(2);
    });

    const own = new RegExp(`^kato:\\{${tag}\\}:(sessions$|s:(${suffixes.join("|")})(:|$))`);
    expectDeclared(commands, own);
  });

  test("gives the right count while thousands of sessions expire in one second", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const COUNT = 2_500;
    const create = (i: number) => createSession(sessions, { nowMs: NOW + 1 + (i % 500) });
    await Promise.all(Array.from({ length: COUNT }, (_, i) => create(i)));

    for (const [ms, live] of [
      [1, COUNT],
      [2, COUNT - 5],
      [401, 500],
      [500, 5],
      [501, 0],
    ] as const) {
      expect(await sessions.countSessions("node", NOW + 60_000 + ms), `after ${ms} ms`).toBe(live);
    }
  });
});

describe("the ids of a session", () => {
  test("stand with the bytes of all ids and replies up to them, the newest one's in the head too", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions);
    const { tag, suffix } = parseSessionId(sessionId)!;
    const head = `kato:{${tag}}:s:${suffix}`;
    const commit = (baseVersion: number, ids: string[]) =>
      sessions.commit(
        commitOf(sessionId, { baseVersion, outcomes: ids.map((id) => ({ id, reply: "é" })) }),
      );

    await commit(0, ["a", "b"]);
    const request = { id: "x", digest: "digest" };
    await sessions.extend(sessionId, { nowMs: NOW, ttlSeconds: 100, request });
    await commit(1, ["c"]);

    const client = clientOf(place);
    const extension = `["digest",[${NOW + 100_000},60]]`.length;
    const bytes = [5, 10, 11 + extension, 16 + extension];
    expect(await client.lrange(`${head}:ids`, 0, -1)).toEqual(
      ["a", "b", "x", "c"].map((id, i) => `${NOW} ${bytes[i]} ${id}`),
    );
    expect(await client.hget(head, "b")).toBe(`${bytes.at(-1)}`);
  });
});

describe("accumulated metadata", () => {
  test("is kept in order, the oldest leaving first, and cleared with the emotives", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open({
      retention: { events: 1, accumulated: 3, outcomes: 1, outcomesMs: 3_600_000 },
    });
    const sessionId = await createSession(sessions);
    const { tag, suffix } = parseSessionId(sessionId)!;
    const client = clientOf(place);
    const kept = () => client.lrange(`kato:{${tag}}:s:${suffix}:metadata`, 0, -1);
    const append = (baseVersion: number, numbers: number[], clearsAccumulators = false) =>
      sessions.commit(
        commitOf(sessionId, {
          baseVersion,
          delta: { clearsAccumulators, metadata: numbers.map((n) => ({ n })) },
        }),
      );

    await append(0, [1, 2]);
    await append(1, [3, 4]);
    expect(await kept()).toEqual(['{"n":2}', '{"n":3}', '{"n":4}']);

    await append(2, [5], true);
    expect(await kept()).toEqual(['{"n":5}']);
  });
});

const CORRECTION = {
  hash: learnOf(AB).hash,
  frequency: 3,
  emotives: [{ joy: 1 }],
  metadata: { source: ["eye"] },
};

let requests = 0;

function request(): NodeRequest {
  requests += 1;
  return { id: `r${requests}`, digest: "d", nowMs: NOW };
}

async function learnOnce({ sessions }: OpenStore, nodeId: string, learn: Learn): Promise<void> {
  const sessionId = await createSession(sessions, { nodeId });
  await sessions.commit(commitOf(sessionId, { learns: [learn] }));
}

/** That what scripts touched is the call's own, and was named to Redis with the script. */
function expectDeclared(commands: readonly RecordedCommand[], own: RegExp): void {
  const touched = keysIn(commands.filter(({ isScripted }) => isScripted));
  expect(touched.filter((key) => !own.test(key))).toEqual([]);
  const declared = keysIn(commands.filter(({ isScripted }) => !isScripted));
  expect(declared).toEqual(expect.arrayContaining(touched));
  expect(declared.filter((key) => !own.test(key))).toEqual([]);
}

/** Every key with its content as Redis would write it to disk. */
async function dumpKeys(client: Redis): Promise<Map<string, string>> {
  const dumps = new Map<string, string>();
  for (const key of await findKeys(client)) {
    const dump = await client.dumpBuffer(key);
    dumps.set(key, dump?.toString("base64") ?? "");
  }
  return dumps;
}

function changedKeys(before: Map<string, string>, after: Map<string, string>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => before.get(key) !== after.get(key));
}

function keysIn(commands: readonly RecordedCommand[]): string[] {
  const words = commands.flatMap(({ args }) => args);
  return [...new Set(words.filter((word) => word.startsWith("kato:")))];
}
