import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import type { Statements } from "../../../../server/stores/sqlite/statements.ts";
import { prepareStatements } from "../../../../server/stores/sqlite/statements.ts";

const MIGRATIONS = new URL("../../../../server/stores/sqlite/migrations/", import.meta.url);

function openSchema(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const name of readdirSync(MIGRATIONS).sort()) {
    database.exec(readFileSync(new URL(name, MIGRATIONS), "utf8"));
  }
  return database;
}

const database = openSchema();
afterAll(() => database.close());
const statements = prepareStatements(database);

/** What SQLite would do, a line for each table it goes through. */
function planOf(name: keyof Statements): string[] {
  const plan = database.prepare(`EXPLAIN QUERY PLAN ${statements[name].sourceSQL}`);
  return plan.all().map(({ detail }) => String(detail));
}

const names = Object.keys(statements) as (keyof Statements)[];

test.each(names)("%s finds its rows by an index and in order", (name) => {
  for (const line of planOf(name)) {
    expect(line).not.toMatch(/^SCAN|TEMP B-TREE|AUTOMATIC|BLOOM FILTER/);
  }
});

test.each([
  ["sessionsAfter", "(node=? AND (ends_at,session_id)>(?,?))"],
  ["nodesAfter", "(node_id>?)"],
  ["clearableSessions", "(node=? AND ends_at<?)"],
  ["countSessions", "COVERING INDEX sessions_by_end (node=? AND ends_at>?)"],
  ["countSessions", "(node=? AND ends_at=?)"],
  ["removeOldestEntries", "(session=? AND kind=? AND position<?)"],
  ["removeRepliesBefore", "(session=? AND position<?)"],
  ["oldestReplies", "(session=?)"],
  ["forgetCreateRequests", "(forget_at<?)"],
  ["forgetExpiredSessions", "(forget_at<?)"],
] as const)("%s begins where its rows begin, at %s", (name, bounds) => {
  expect(planOf(name).join("\n")).toContain(bounds);
});
