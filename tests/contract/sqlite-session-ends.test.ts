import { expect, test } from "vitest";
import { commitOf, createSession, NOW, using } from "./session-builders.ts";
import { fileOf, openFile } from "./sqlite-connection.ts";
import { openSqlitePlace } from "./store-place.ts";

test("a session's place in the order of expiry is written once in a second, by whatever contact", async () => {
  await using place = await openSqlitePlace();
  const { sessions } = await place.open();
  const sessionId = await createSession(sessions, { nowMs: NOW + 1 });
  using file = openFile(fileOf(place));
  file.exec(
    `CREATE TABLE moves (ends_at INTEGER);
     CREATE TRIGGER moved AFTER UPDATE OF ends_at ON sessions BEGIN INSERT INTO moves VALUES (NEW.ends_at); END`,
  );
  let version = 0;
  const contacts = [
    (ms: number) => sessions.load(sessionId, { at: using(NOW + ms) }),
    (ms: number) => sessions.extend(sessionId, { nowMs: NOW + ms, ttlSeconds: undefined }),
    (ms: number) => sessions.commit(commitOf(sessionId, { at: using(NOW + ms), baseVersion: 99 })),
    (ms: number) =>
      sessions.commit(commitOf(sessionId, { at: using(NOW + ms), baseVersion: version++ })),
  ];
  const moves = () =>
    file
      .prepare("SELECT ends_at AS end FROM moves")
      .all()
      .map(({ end }) => end);

  for (const [i, contact] of contacts.entries()) {
    for (const ms of [2, 500, 1_000]) await contact(i * 1_000 + ms);
    // The first of each second but the first moves it.
    expect(moves()).toEqual(Array.from({ length: i }, (_, n) => NOW + 61_000 + (n + 1) * 1_000));
    expect(file.prepare("SELECT expires_at AS at FROM sessions").get()).toEqual({
      at: NOW + 60_000 + (i + 1) * 1_000,
    });
  }
});

test("sessions that a worker of an older release makes and prolongs are found, and cleared away in time", async () => {
  await using place = await openSqlitePlace();
  const store = await place.open();
  const { sessions } = store;
  const prolonged = await createSession(sessions);
  using file = openFile(fileOf(place));
  // As releases did that did not know the end of the second.
  file.exec(
    `INSERT INTO sessions (session_id, node, created_at, ttl_seconds, expires_at, mark, metadata_json, config_json)
       SELECT 'made', node, created_at, ttl_seconds, expires_at + 5500, 'm', '{}', '{}' FROM sessions;
     UPDATE sessions SET version = version + 1, expires_at = expires_at + 7500 WHERE session_id = '${prolonged}'`,
  );
  const listed = async (nowMs: number) => {
    const page = await sessions.listSessions("node", { cursor: undefined, limit: 10, nowMs });
    expect(await sessions.countSessions("node", nowMs)).toBe(page.items.length);
    return page.items.map(({ state }) => state.sessionId);
  };

  expect(await listed(NOW + 65_500)).toEqual(["made", prolonged]);
  expect(await listed(NOW + 65_501)).toEqual([prolonged]);
  const held = () => file.prepare("SELECT count(*) AS rows FROM sessions").get()!["rows"];
  for (const [nowMs, rows] of [
    [NOW + 60_000 + 66_000, 2],
    [NOW + 60_000 + 66_001, 1],
    [NOW + 60_000 + 68_001, 0],
  ] as const) {
    while (await store.tidy!(nowMs));
    expect(held(), `at ${nowMs - NOW}`).toBe(rows);
  }
});
