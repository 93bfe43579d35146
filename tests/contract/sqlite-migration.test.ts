import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { createSessionId } from "../../server/stores/session-id.ts";
import { commitOf, looking, newSession, NOW, readAll } from "./session-builders.ts";
import { fileOf } from "./sqlite-connection.ts";
import { openSqlitePlace } from "./store-place.ts";

/** A file as the first release left it, with a session that has seen four calls. */
function makeOldFile(path: string, sessionId: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = new DatabaseSync(path);
  for (const name of ["0001-sessions", "0002-long-term-memory"]) {
    const url = new URL(`../../server/stores/sqlite/migrations/${name}.sql`, import.meta.url);
    file.exec(readFileSync(url, "utf8"));
  }
  file.exec("PRAGMA user_version = 2; INSERT INTO nodes (node, node_id) VALUES (1, 'node')");
  file
    .prepare(
      `INSERT INTO sessions (session, session_id, node, created_at, ttl_seconds, expires_at, metadata_json, config_json,
         version, time, next_position, reply_count)
       VALUES (1, ?, 1, ${NOW}, 60, ${NOW + 60_500}, '{}', '{"persistence":7}', 4, 1, 4, 4)`,
    )
    .run(sessionId);
  file.exec(
    `INSERT INTO replies (session, id, position, json) VALUES
       (1, 'oa', 0, '[1,1,null]'), (1, 'lb', 1, '["PTRN|x",2]'), (1, 'cc', 2, 'null'), (1, 'gd', 3, 'null')`,
  );
  file.exec(
    `INSERT INTO create_requests (node, request_id, session_id, forget_at) VALUES (1, 'made', '${sessionId}', ${NOW + 1})`,
  );
  file.close();
}

test("a file of the first release is brought up to date, and its calls can still be repeated", async () => {
  await using place = await openSqlitePlace();
  const sessionId = createSessionId("node");
  makeOldFile(fileOf(place), sessionId);
  const { sessions } = await place.open();
  const ids = ["oa", "lb", "cc", "gd"];
  const replies = new Map<string, unknown>([
    ["oa", [null, [1, 1, null]]],
    ["lb", ["PTRN|x", 2]],
    ["cc", null],
    ["gd", [null, { persistence: 7 }]],
  ]);

  expect((await readAll(sessions, sessionId, { ids })).seen).toEqual(replies);
  const repeated = await sessions.create(newSession({ requestId: "made", digest: "any" }));
  expect(repeated).toMatchObject({ repeated: true, state: { sessionId } });
  expect(repeated).not.toHaveProperty("firstDigest");

  for (const [nowMs, live] of [
    [NOW + 60_500, 1],
    [NOW + 60_501, 0],
  ] as const) {
    const { items } = await sessions.listSessions("node", { cursor: undefined, limit: 10, nowMs });
    expect([items.length, await sessions.countSessions("node", nowMs)]).toEqual([live, live]);
  }

  // What was remembered before counts as new.
  const at = { ...looking(), nowMs: Date.now() };
  await sessions.commit(
    commitOf(sessionId, { at, baseVersion: 4, outcomes: [{ id: "new", reply: 0 }] }),
  );
  expect((await readAll(sessions, sessionId, { ids })).seen).toEqual(replies);
});
