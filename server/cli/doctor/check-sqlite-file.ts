import { DatabaseSync } from "node:sqlite";
import { SqliteDatabase } from "../../stores/sqlite/database.ts";
import type { Check } from "./check.ts";
import { fail, ok, warn } from "./check.ts";

/** How long to wait for the other processes that use the file. */
const BUSY_TIMEOUT_MS = 3_000;
const SLOW_MS = 100;

const SYNCHRONOUS = ["OFF", "NORMAL", "FULL", "EXTRA"] as const;

/** What each of them keeps in WAL mode: https://sqlite.org/pragma.html#pragma_synchronous */
const DURABILITY = [
  "a crash of the service costs nothing, a power cut may cost the file",
  "a crash of the service costs nothing, a power cut perhaps the last moments",
  "neither a crash nor a power cut costs anything",
  "neither a crash nor a power cut costs anything",
] as const;

/** Opens an existing file and takes its write lock for a moment; changes nothing in it. */
export async function checkSqliteFile(path: string): Promise<Check[]> {
  const service = await readServicePragmas();
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
async function readServicePragmas(): Promise<{ schema: number; synchronous: number }> {
  const database = SqliteDatabase.open(":memory:", { timeoutMs: BUSY_TIMEOUT_MS });
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
  const found = `journal mode ${mode}; synchronous ${SYNCHRONOUS[synchronous] ?? synchronous}`;
  return ok("persistence", `${found}: ${DURABILITY[synchronous] ?? "unknown"}`);
}

function readPragma(
  connection: DatabaseSync,
  name: "user_version" | "journal_mode" | "synchronous",
) {
  const row = connection.prepare(`PRAGMA ${name}`).get();
  return row?.[name];
}
