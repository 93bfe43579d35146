import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { Learn } from "../../server/stores/session-store.ts";
import { indexOf, learnAll, learnOf, readNode, TAG } from "./node-builders.ts";
import { commitOf, createSession, NOW, readAll } from "./session-builders.ts";
import { turnsUntil } from "./event-loop-turns.ts";
import { fileOf, openFile } from "./sqlite-connection.ts";
import type { StorePlace } from "./store-place.ts";
import { openSqlitePlace } from "./store-place.ts";

const TABLES = ["patterns", "symbols", "affinities", "vectors", "finalized_symbols"];

/** How many rows each table of what was learned has. */
function rowCounts(place: StorePlace): number[] {
  using file = openFile(fileOf(place));
  return TABLES.map((table) => {
    const counted = file.prepare(`SELECT count(*) AS count FROM ${table}`).get();
    return (counted as { count: number }).count;
  });
}

/** `count` patterns of one symbol each, with an affinity and a vector. */
function manyLearns(count: number): Learn[] {
  return Array.from({ length: count }, (_, i) =>
    learnOf([[`s${i}`, `s${i}`]], {
      emotives: [{ joy: i }],
      vectors: [{ name: `v${i}`, vector: [i] }],
    }),
  );
}

describe("what a cleared node leaves behind", () => {
  test("is removed some at a time by later changes of any node, and nothing else is", async () => {
    await using place = await openSqlitePlace();
    const store = await place.open();
    await learnAll(store, manyLearns(10), { nodeId: "other" });
    await learnAll(store, manyLearns(1_000));
    await store.nodes.change(TAG, { kind: "finalize" });

    await store.nodes.change(TAG, { kind: "clear" });
    const [left = 0] = rowCounts(place);
    expect(left).toBeGreaterThan(500);
    expect(left).toBeLessThan(1_010);
    await learnAll(store, manyLearns(20));
    for (let i = 0; i < 10; i += 1) await learnAll(store, [indexOf()], { nodeId: "third" });

    expect(rowCounts(place)).toEqual([30, 30, 30, 30, 0]);
    expect((await readNode(store.nodes)).totals).toMatchObject({ patterns: 20, vectors: 20 });
    using file = openFile(fileOf(place));
    expect(file.prepare("SELECT count(*) AS nodes FROM contents").get()).toEqual({ nodes: 3 });
  });
});

describe("a file of the release before long-term memory", () => {
  test("keeps its sessions, which can learn", async () => {
    await using place = await openSqlitePlace();
    {
      using file = new DatabaseSync(fileOf(place));
      const first = "../../server/stores/sqlite/migrations/0001-sessions.sql";
      file.exec(readFileSync(new URL(first, import.meta.url), "utf8"));
      file.exec(`PRAGMA user_version = 1;
        INSERT INTO nodes (node, node_id) VALUES (1, 'node');
        INSERT INTO sessions (session_id, node, created_at, ttl_seconds, expires_at, metadata_json,
          config_json, next_position, event_count) VALUES ('old', 1, ${NOW}, 60, ${NOW + 60_000}, '{}', '{}', 1, 1);
        INSERT INTO entries (session, kind, position, json) VALUES (1, 0, 0, '["a"]');`);
    }
    const { sessions, nodes } = await place.open();

    await sessions.commit(
      commitOf("old", {
        delta: { vectors: [{ name: "v", vector: [1] }] },
        learns: [learnOf([["a"], ["b"]])],
      }),
    );

    expect(await readAll(sessions, "old")).toMatchObject({
      stm: [["a"]],
      vectors: [{ name: "v", vector: [1] }],
    });
    expect((await nodes.readTotals(TAG)).patterns).toBe(1);
  });
});

describe("commits of many learns", () => {
  test("let the event loop turn in between", async () => {
    await using place = await openSqlitePlace();
    const store = await place.open();
    const sessionIds = await Promise.all(
      Array.from({ length: 40 }, () => createSession(store.sessions)),
    );
    const learns = manyLearns(400);
    let isDone = false;

    const commits = sessionIds.map((sessionId) =>
      store.sessions.commit(commitOf(sessionId, { learns })),
    );
    const all = Promise.all(commits).then(() => (isDone = true));
    const turns = await turnsUntil(() => isDone, 1_000_000);
    await all;

    // Each takes longer than one of SQLite's transactions may.
    expect(turns).toBeGreaterThan(5);
    expect((await store.nodes.readTotals(TAG)).frequencies).toBe(16_000);
  });
});
