import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import type { MemoryStatements } from "../../../../server/stores/sqlite/memory-statements.ts";
import { prepareMemoryStatements } from "../../../../server/stores/sqlite/memory-statements.ts";

const MIGRATIONS = new URL("../../../../server/stores/sqlite/migrations/", import.meta.url);

const database = new DatabaseSync(":memory:");
afterAll(() => database.close());
for (const name of readdirSync(MIGRATIONS).sort()) {
  database.exec(readFileSync(new URL(name, MIGRATIONS), "utf8"));
}
const statements = prepareMemoryStatements(database);

/** What SQLite would do, a line for each table it goes through. */
function planOf(name: keyof MemoryStatements): string {
  const plan = database.prepare(`EXPLAIN QUERY PLAN ${statements[name].sourceSQL}`);
  return plan
    .all()
    .map(({ detail }) => String(detail))
    .join("\n");
}

const names = Object.keys(statements) as (keyof MemoryStatements)[];

test.each(names)("%s finds its rows by an index and in order", (name) => {
  expect(planOf(name)).not.toMatch(/^SCAN|TEMP B-TREE|AUTOMATIC|BLOOM FILTER/m);
});

test.each([
  ["patternsAfter", "(contents=? AND born>?)"],
  ["pattern", "(contents=? AND hash=?)"],
  ["symbolsFrom", "(contents=? AND symbol>?)"],
  ["affinitiesFrom", "(contents=? AND symbol>?)"],
  ["finalizedFrom", "(contents=? AND symbol>?)"],
  ["vectorsFrom", "(contents=? AND name>?)"],
  ["removeSomePatterns", "(contents=? AND born=?)"],
  ["removeSomeSymbols", "(contents=? AND symbol=?)"],
  ["removeSomeVectors", "(contents=? AND name=?)"],
  ["clearedContents", "INDEX cleared_contents"],
  ["entriesAfter", "(memory=? AND number>?)"],
  ["removeEntriesBefore", "(memory=? AND number<?)"],
] as const)("%s begins where its rows begin, at %s", (name, bounds) => {
  expect(planOf(name)).toContain(bounds);
});
