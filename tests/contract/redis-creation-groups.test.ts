import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSessionId, parseSessionId } from "../../server/stores/session-id.ts";
import { nodeKeys, sessionKeys } from "../../server/stores/redis/keys.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { recordCommands } from "./recorded-commands.ts";
import { looking, newSession, NOW } from "./session-builders.ts";
import type { StorePlace } from "./store-place.ts";
import { REDIS_DATABASES, redisPlaces } from "./store-place.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ config: { databases: String(REDIS_DATABASES) } });
});
afterAll(() => server.close());

const openPlace = redisPlaces(() => server);

function clientOf(place: StorePlace) {
  return server.client({ db: Number(place.url.split("/").at(-1)) });
}

describe("sessions that are created in one turn of the event loop", () => {
  test("share a script call on one node, up to 16 of them, and are each what was asked for", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    await store.create(newSession({ nodeId: "one" }));
    await store.create(newSession({ nodeId: "other" }));
    const asked = Array.from({ length: 40 }, (_, i) =>
      newSession({
        nodeId: i % 8 === 0 ? "other" : "one",
        ttlSeconds: 60 + i,
        metadata: i % 2 === 0 ? { i } : {},
        config: i % 3 === 0 ? { recallThreshold: 0.5 } : {},
        mark: `m${i}`,
      }),
    );

    const commands = await recordCommands(clientOf(place), () =>
      Promise.all(asked.map((session) => store.create(session))),
    );

    const calls = commands.filter(
      ({ args: [name = ""], isScripted }) => !isScripted && /^eval/i.test(name),
    );
    // 35 on one node, 5 on the other.
    expect(calls).toHaveLength(3 + 1);
    for (const session of asked) {
      const { sessionId, nodeId, ttlSeconds, metadata, config, mark } = session;
      const { state, expiresAt } = await store.load(sessionId, { at: looking() });
      expect(state).toMatchObject({ nodeId, ttlSeconds, metadata, config, mark, version: 0 });
      expect(expiresAt).toBe(NOW + ttlSeconds * 1_000);
    }
    expect(await store.countSessions("one", NOW)).toBe(1 + 35);
  });

  test("by one request are one session", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();

    const created = await Promise.all(
      Array.from({ length: 5 }, () => store.create(newSession({ requestId: "r", digest: "d" }))),
    );

    expect(new Set(created.map(({ state }) => state.sessionId)).size).toBe(1);
    expect(created.filter(({ repeated }) => repeated)).toHaveLength(4);
    expect(created.filter(({ firstDigest }) => firstDigest === "d")).toHaveLength(4);
    expect(await store.countSessions("node", NOW)).toBe(1);
  });

  test("by one request with another content are told whose it was first", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();

    const [first, other, neighbour] = await Promise.all([
      store.create(newSession({ requestId: "r", digest: "one" })),
      store.create(newSession({ requestId: "r", digest: "other" })),
      store.create(newSession({ requestId: "s", digest: "one" })),
    ]);

    expect(first.repeated).toBe(false);
    expect(other).toMatchObject({ repeated: true, firstDigest: "one" });
    expect(other.state.sessionId).toBe(first.state.sessionId);
    expect(neighbour.repeated).toBe(false);
  });

  test("are each made once where Redis has forgotten its scripts", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    await store.create(newSession());
    const client = clientOf(place);
    await client.script("FLUSH");

    await Promise.all(Array.from({ length: 40 }, () => store.create(newSession())));

    expect(await store.countSessions("node", NOW)).toBe(41);
    await client.quit();
  });

  test("are refused where another node has the tag", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const client = clientOf(place);
    await client.set(nodeKeys("node").node, "another");

    const created = await Promise.allSettled([
      store.create(newSession()),
      store.create(newSession({ nodeId: "free" })),
      store.create(newSession()),
    ]);

    expect(created).toMatchObject([
      { reason: { message: expect.stringMatching(/two node ids share the tag/) } },
      { status: "fulfilled" },
      { reason: { message: expect.stringMatching(/two node ids share the tag/) } },
    ]);
    expect(await store.countSessions("node", NOW)).toBe(0);
    await client.quit();
  });

  test("live in keys that outlast the longest of them", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const lives = [60, 86_400 * 30, 600];

    await Promise.all(lives.map((ttlSeconds) => store.create(newSession({ ttlSeconds }))));

    const client = clientOf(place);
    const [sessions = ""] = await client.keys("kato:*:sessions");
    expect(await client.pttl(sessions)).toBeGreaterThan(86_400_000 * 30);
    await store.create(newSession({ ttlSeconds: 60 }));
    expect(await client.pttl(sessions)).toBeGreaterThan(86_400_000 * 30);
    await client.quit();
  });

  test("fail alone where something of another type is in a session's place", async () => {
    await using place = await openPlace();
    const { sessions: store } = await place.open();
    const taken = createSessionId("node");
    const { tag, suffix } = parseSessionId(taken) ?? { tag: "", suffix: "" };
    const [head = ""] = sessionKeys(tag, suffix);
    const client = clientOf(place);
    await client.set(head, "no hash");

    const [before, failed, after] = await Promise.allSettled([
      store.create(newSession()),
      store.create(newSession({ sessionId: taken })),
      store.create(newSession()),
    ]);

    expect([before.status, failed.status, after.status]).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(failed).toMatchObject({ reason: { message: /WRONGTYPE/ } });
    expect(await store.countSessions("node", NOW)).toBe(2);
    await client.quit();
  });
});
