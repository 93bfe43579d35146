import { describe, expect, test } from "vitest";
import {
  commitOf,
  createSession,
  DAY_MS,
  looking,
  NOW,
  numberedEvents,
  readAll,
} from "./session-builders.ts";
import { turnsUntil } from "./event-loop-turns.ts";
import { fileOf, openFile } from "./sqlite-connection.ts";
import type { StorePlace } from "./store-place.ts";
import { openSqlitePlace, UNAVAILABLE } from "./store-place.ts";

/** How many rows each table has. */
function rowCounts(place: StorePlace): Record<string, number> {
  using file = openFile(fileOf(place));
  const tables = ["sessions", "entries", "replies", "expired_sessions", "create_requests"];
  return Object.fromEntries(
    tables.map((table) => [
      table,
      (file.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }).count,
    ]),
  );
}

describe("a file that another process has locked", () => {
  test("makes writes unavailable within the deadline, and they never happen later", async () => {
    await using place = await openSqlitePlace();
    const { sessions, fleet } = await place.open({ timeoutMs: 200 });
    const sessionId = await createSession(sessions, { requestId: "kept" });
    using file = openFile(fileOf(place));
    file.exec("BEGIN IMMEDIATE");

    const start = performance.now();
    const settled = await Promise.allSettled([
      createSession(sessions),
      sessions.commit(commitOf(sessionId, { delta: { events: [["late"]] } })),
      sessions.extend(sessionId, { nowMs: NOW, ttlSeconds: 3_600 }),
      sessions.delete(sessionId, NOW),
      sessions.load(sessionId, { at: looking() }),
      sessions.ping(),
      fleet.publish("w", "late", 60_000),
    ]);
    const tookMs = performance.now() - start;
    file.exec("ROLLBACK");
    await sessions.ping();

    for (const call of settled) expect(call).toMatchObject({ reason: UNAVAILABLE });
    expect(tookMs).toBeLessThan(2_000);
    expect(await readAll(sessions, sessionId)).toMatchObject({
      state: { version: 0, stmLength: 0 },
      expiresAt: NOW + 60_000,
    });
    expect(await sessions.countSessions("node", NOW)).toBe(1);
    expect(await fleet.read()).toEqual([]);
  });

  test("is waited for while there is time, in the order of the calls", async () => {
    await using place = await openSqlitePlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions);
    using file = openFile(fileOf(place));
    file.exec("BEGIN IMMEDIATE");

    const commits = numberedEvents(20).map((event, baseVersion) =>
      sessions.commit(commitOf(sessionId, { baseVersion, delta: { events: [event] } })),
    );
    await turnsUntil(() => false, 50);
    file.exec("COMMIT");

    const results = await Promise.all(commits);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["committed"]));
    expect((await readAll(sessions, sessionId)).stm).toEqual(numberedEvents(20));
  });

  test("can still be read", async () => {
    await using place = await openSqlitePlace();
    const { sessions, fleet } = await place.open({ timeoutMs: 200 });
    const sessionId = await createSession(sessions);
    using file = openFile(fileOf(place));
    file.exec("BEGIN IMMEDIATE");

    expect(await sessions.find(sessionId, NOW)).toBe("live");
    expect(await sessions.countSessions("node", NOW)).toBe(1);
    const page = { cursor: undefined, limit: 5, nowMs: NOW };
    expect((await sessions.listSessions("node", page)).items).toHaveLength(1);
    expect(await fleet.read()).toEqual([]);
  });

  test("does not block the event loop", async () => {
    await using place = await openSqlitePlace();
    const { sessions } = await place.open({ timeoutMs: 300 });
    await sessions.ping();
    using file = openFile(fileOf(place));
    file.exec("BEGIN IMMEDIATE");
    let isAnswered = false;

    const call = expect(sessions.ping())
      .rejects.toMatchObject(UNAVAILABLE)
      .then(() => (isAnswered = true));
    const turns = await turnsUntil(() => isAnswered, 1_000_000);
    await call;

    expect(turns).toBeGreaterThan(100);
  });
});

describe("a commit that fails halfway", () => {
  test("is undone whole, and the others of its transaction happen", async () => {
    await using place = await openSqlitePlace();
    const { sessions } = await place.open();
    const [broken, whole] = [await createSession(sessions), await createSession(sessions)];
    await sessions.commit(commitOf(broken, { delta: { events: [["a"]] } }));
    const before = await readAll(sessions, broken);
    const unstorable = { toJSON: () => undefined } as unknown as string[];

    const settled = await Promise.allSettled([
      sessions.commit(commitOf(whole, { delta: { events: [["b"]] } })),
      sessions.commit(
        commitOf(broken, {
          baseVersion: 1,
          delta: { clearsStm: true, events: [["lost"], unstorable] },
        }),
      ),
      sessions.commit(commitOf(whole, { baseVersion: 1, delta: { events: [["c"]] } })),
    ]);

    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await readAll(sessions, broken)).toEqual(before);
    expect((await readAll(sessions, whole)).stm).toEqual([["b"], ["c"]]);
  });
});

describe("what expired sessions held", () => {
  test("is cleared away as other sessions are created, and their names a day later", async () => {
    await using place = await openSqlitePlace();
    const { sessions } = await place.open();
    for (let i = 0; i < 10; i += 1) {
      const nodeId = `node ${i % 3}`;
      const sessionId = await createSession(sessions, { nodeId, requestId: `request ${i}` });
      await sessions.commit(
        commitOf(sessionId, {
          delta: { events: numberedEvents(4), emotives: [{ joy: 1 }] },
          outcomes: [{ id: "a", reply: 1 }],
        }),
      );
    }
    const create = async (count: number, nowMs: number) => {
      for (let i = 0; i < count; i += 1) await createSession(sessions, { nodeId: "node 0", nowMs });
    };

    await create(12, NOW + 3_600_001);
    expect(rowCounts(place)).toEqual({
      sessions: 12,
      entries: 0,
      replies: 0,
      expired_sessions: 10,
      create_requests: 0,
    });

    await create(1, NOW + 60_000 + DAY_MS);
    expect(rowCounts(place)["expired_sessions"]).toBeGreaterThanOrEqual(10);
    await create(12, NOW + 2 * DAY_MS + 3_600_000);
    expect(rowCounts(place)).toMatchObject({ sessions: 12, expired_sessions: 0 });
  });

  test("of a deleted one goes at once", async () => {
    await using place = await openSqlitePlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions);
    await sessions.commit(
      commitOf(sessionId, {
        delta: { events: [["a"]], metadata: [{ a: 1 }] },
        outcomes: [{ id: "a", reply: 1 }],
      }),
    );

    await sessions.delete(sessionId, NOW);

    expect(rowCounts(place)).toMatchObject({ sessions: 0, entries: 0, replies: 0 });
  });
});

describe("the file", () => {
  test("holds of metadata and waiting vectors the newest in order, until they are cleared", async () => {
    await using place = await openSqlitePlace();
    const { sessions } = await place.open({
      retention: { events: 1, accumulated: 3, outcomes: 1, outcomesMs: 3_600_000 },
    });
    const sessionId = await createSession(sessions);
    using file = openFile(fileOf(place));
    const kept = (kind: number) =>
      file
        .prepare("SELECT json FROM entries WHERE kind = ? ORDER BY position")
        .all(kind)
        .map(({ json }) => json);
    const append = (baseVersion: number, numbers: number[], clears = {}) =>
      sessions.commit(
        commitOf(sessionId, {
          baseVersion,
          delta: {
            metadata: numbers.map((n) => ({ n })),
            vectors: numbers.map((n) => ({ name: "v", vector: [n] })),
            ...clears,
          },
        }),
      );
    const metadata = (...numbers: number[]) => numbers.map((n) => `{"n":${n}}`);
    const vectors = (...numbers: number[]) => numbers.map((n) => `{"name":"v","vector":[${n}]}`);

    await append(0, [1, 2]);
    await append(1, [3, 4]);
    expect([kept(2), kept(3)]).toEqual([metadata(2, 3, 4), vectors(2, 3, 4)]);

    await append(2, [5], { clearsAccumulators: true });
    expect([kept(2), kept(3)]).toEqual([metadata(5), vectors(3, 4, 5)]);

    await append(3, [6], { clearsVectors: true });
    expect([kept(2), kept(3)]).toEqual([metadata(5, 6), vectors(6)]);
  });
});
