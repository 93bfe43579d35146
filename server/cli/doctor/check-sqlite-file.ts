import { DatabaseSync } from "node:sqlite";
import type { Durability } from "../../stores/durability.ts";
import { SqliteDatabase } from "../../stores/sqlite/database.ts";
import { sqliteDurability } from "../../stores/sqlite/sqlite-durability.ts";
import type { Check } from "./check.ts";
import { fail, ok, warn } from "./check.ts";

/** How long to wait for the other processes that use the file. */
const BUSY_TIMEOUT_MS = 3_000;
const SLOW_MS = 100;

/** What each of them costs and keeps in WAL mode: https://sqlite.org/pragma.html#pragma_synchronous */
const SYNCHRONOUS = ["OFF", "NORMAL", "FULL", "EXTRA"] as const;

/** Opens an existing file and takes its write lock for a moment; changes nothing in it. */
export async function checkSqliteFile(path: string, durability: Durability): Promise<Check[]> {
  const service = await readServicePragmas(durability);
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    const schema = readPragma(connection, "user_version");
    const journal = readPragma(connection, "journal_mode");
    return [
      checkLock(connection),
      judgeSchema(Number(schema), service.schema),
      judgeJournal(String(journal), service.synchronous),
    ];
  } catch (error) {
    const advice = "see to it that the path in KATO_STORE names a SQLite file that no one locks";
    return [fail("reachable", `no: ${(error as Error).message}`, advice)];
  } finally {
    connection?.close();
  }
}

function checkLock(connection: DatabaseSync): Check {
  const start = performance.now();
  connection.exec("BEGIN IMMEDIATE");
  connection.exec("ROLLBACK");
  const waitMs = performance.now() - start;
  const found = `write lock in ${waitMs.toFixed(1)} ms`;
  if (waitMs < SLOW_MS) return ok("reachable", found);
  return warn(
    "reachable",
    found,
    "look for another program that holds the file, or for a slow disk",
  );
}

/** What the service sets on its own connections, asked of such a connection. */
async function readServicePragmas(
  durability: Durability,
): Promise<{ schema: number; synchronous: number }> {
  const { synchronous } = sqliteDurability(durability);
  const database = SqliteDatabase.open(":memory:", { timeoutMs: BUSY_TIMEOUT_MS, synchronous });
  try {
    return {
      schema: Number(readPragma(database.connection, "user_version")),
      synchronous: Number(readPragma(database.connection, "synchronous")),
    };
  } finally {
    await database.close();
  }
}

export function judgeSchema(found: number, own: number): Check {
  if (found > own) {
    const advice = "run the release that made it, or a later one";
    return fail("schema", `made by a later release (${found}; this one has ${own})`, advice);
  }
  return ok(
    "schema",
    found === own ? `up to date (${own})` : "brought up to date at the next start",
  );
}

export function judgeJournal(journal: string, synchronous: number): Check {
  // A file that the service has not yet opened: its first start switches it.
  const mode = journal === "wal" ? "WAL" : `${journal.toUpperCase()}, WAL from the next start`;
  return ok(
    "persistence",
    `journal mode ${mode}; synchronous ${SYNCHRONOUS[synchronous] ?? synchronous}`,
  );
}

function readPragma(
  connection: DatabaseSync,
  name: "user_version" | "journal_mode" | "synchronous",
) {
  const row = connection.prepare(`PRAGMA ${name}`).get();
  return row?.[name];
}
