import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { createSessionId, nodeTag } from "../../server/stores/session-id.ts";
import { newSession } from "../contract/session-builders.ts";
import { openStoreAt } from "../contract/store-place.ts";
import { createSession, dataOf } from "../support/http-calls.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { expectWhole, RepeatingLearner } from "../support/repeating-learner.ts";
import { openTestStore } from "../support/service.ts";
import type { TestApp } from "../support/test-app.ts";
import { startTestApp } from "../support/test-app.ts";
import { waitFor } from "../support/wait-for.ts";

const IDLE = 100_000;
const TTL_SECONDS = 600;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe("a service on Redis on which a hundred thousand idle sessions expire at once", () => {
  it("goes on to serve, counts right, and has the memory back", { timeout: 240_000 }, async () => {
    await using redis = await startRedis();
    const clock = { ms: Date.now() };
    await using app = await startApp(redis.url, clock);
    const admin = redis.client();
    const learner = await RepeatingLearner.start(app.url, { nodeId: "n", bytes: 10 });
    const before = await readMemory(redis);
    await createIdle(redis.url, clock.ms);
    const full = await readMemory(redis);
    expect(await countSessions(app)).toBe(IDLE + 1);

    await using load = startLoad(learner);
    await load.untilServed();
    clock.ms += TTL_SECONDS * 1_000 + 1;
    // The session in use lives as long, but for being used.
    expect(await countSessions(app)).toBe(1);
    await letKeysEnd(admin, "kato:{*}:s:*", learner.sessionId);
    await waitFor(async () => (await admin.dbsize()) < 100, {
      what: "Redis to clear away the sessions",
      timeoutMs: 90_000,
    });
    await load.untilServed();
    await load.stop();

    const cleared = await readMemory(redis);
    // The names stay for a day.
    expect(cleared - before).toBeLessThan((full - before) / 2);
    await expectWhole(app.url, [learner]);

    clock.ms += DAY_MS + MINUTE_MS;
    const names = `kato:{${nodeTag("idle")}}:sessions`;
    for (let i = 0; i < 20; i += 1) await createSession(app.url, "idle");
    // Creations forget names of the day before, each a few.
    expect(await admin.zcard(names)).toBe(IDLE - 20 * 50 + 20);
    expect(await countSessions(app)).toBe(20);
  });
});

describe("a service on SQLite on which a hundred thousand idle sessions expire at once", () => {
  it("goes on to serve, counts right, and clears them away", { timeout: 240_000 }, async () => {
    await using store = await openTestStore("sqlite");
    const clock = { ms: Date.now() };
    await using app = await startApp(store.url, clock);
    const learner = await RepeatingLearner.start(app.url, { nodeId: "n", bytes: 10 });
    using database = new DatabaseSync(store.url.slice("sqlite:".length));
    insertIdle(database, clock.ms);
    const rows = (table: string) =>
      database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()!["rows"];
    expect(await countSessions(app)).toBe(IDLE + 1);

    await using load = startLoad(learner);
    await load.untilServed();
    clock.ms += TTL_SECONDS * 1_000 + 1;
    expect(await countSessions(app)).toBe(1);
    // What they held stays for a minute after the second in which they expired.
    clock.ms += MINUTE_MS + 1_000;
    await waitFor(() => rows("sessions") === 1, {
      what: "the sessions to be cleared away",
      timeoutMs: 90_000,
    });
    await load.untilServed();
    await load.stop();
    await expectWhole(app.url, [learner]);
    expect([rows("entries"), rows("expired_sessions")]).toEqual([0, IDLE]);

    clock.ms += DAY_MS;
    // The learner's, which expired later, is remembered longer.
    await waitFor(() => rows("expired_sessions") === 1, {
      what: "their names to be forgotten",
      timeoutMs: 90_000,
    });
  });
});

async function startApp(store: string, clock: { ms: number }): Promise<TestApp> {
  const app = await startTestApp({ settings: { KATO_STORE: store }, now: () => clock.ms });
  app.app.start();
  return app;
}

/** Learns one call after another; none may be refused. */
function startLoad(learner: RepeatingLearner) {
  const end = new AbortController();
  const run = async () => {
    while (!end.signal.aborted) {
      expect(await learner.learn()).toBeUndefined();
    }
  };
  const done = run();
  const stop = async () => {
    end.abort();
    await done;
  };
  return {
    async untilServed() {
      const wanted = learner.learned.length + 20;
      await waitFor(() => learner.learned.length >= wanted, { what: "calls to be served" });
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function countSessions({ url }: TestApp): Promise<number> {
  return (await dataOf<{ active: number }>(url, "session.count")).active;
}

async function createIdle(url: string, nowMs: number): Promise<void> {
  await using store = await openStoreAt(url, { timeoutMs: 60_000 });
  for (let created = 0; created < IDLE; created += 2_000) {
    const session = { nodeId: "idle", nowMs, ttlSeconds: TTL_SECONDS };
    await Promise.all(
      Array.from({ length: 2_000 }, () => store.sessions.create(newSession(session))),
    );
  }
}

/** As the store would leave them, with an event each. */
function insertIdle(database: DatabaseSync, nowMs: number): void {
  database.exec("BEGIN IMMEDIATE; INSERT INTO nodes (node_id) VALUES ('idle')");
  const addSession = database.prepare(
    `INSERT INTO sessions (session_id, node, created_at, ttl_seconds, expires_at, metadata_json, config_json)
     VALUES (?, (SELECT node FROM nodes WHERE node_id = 'idle'), ?, ?, ?, '{}', '{}')`,
  );
  const addEntry = database.prepare(
    `INSERT INTO entries (session, kind, position, json) VALUES (?, 0, 0, '["a"]')`,
  );
  for (let i = 0; i < IDLE; i += 1) {
    const expiresAt = nowMs + TTL_SECONDS * 1_000;
    const id = createSessionId("idle");
    addEntry.run(addSession.run(id, nowMs, TTL_SECONDS, expiresAt).lastInsertRowid);
  }
  database.exec("COMMIT");
}

async function readMemory(redis: RedisServer): Promise<number> {
  const client = redis.client();
  const [, used = ""] = /used_memory:(\d+)/.exec(await client.info("memory")) ?? [];
  client.disconnect();
  return Number(used);
}

/** Brings the end of the keys forward to now, as if Redis's own clock had reached it; but of this session's. */
async function letKeysEnd(
  admin: ReturnType<RedisServer["client"]>,
  pattern: string,
  sessionId: string,
): Promise<void> {
  const script = `
    local cursor = '0'
    repeat
      local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 10000)
      cursor = page[1]
      for _, key in ipairs(page[2]) do
        if not string.find(key, ARGV[2], 1, true) then redis.call('PEXPIRE', key, 1) end
      end
    until cursor == '0'`;
  await admin.eval(script, 0, pattern, sessionId.slice(sessionId.indexOf("-") + 1));
}
