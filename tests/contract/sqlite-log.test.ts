import { copyFileSync, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { SqliteDatabase } from "../../server/stores/sqlite/database.ts";
import { LONGEST_LOG } from "../../server/stores/sqlite/log-copier.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { waitFor } from "../support/wait-for.ts";

const PAGE_BYTES = 4_096;

/** A database with a table of numbers in a directory of its own. */
async function openNumbers() {
  const directory = await makeTemporaryDirectory();
  const path = join(directory.path, "kato.db");
  const database = SqliteDatabase.open(path, { timeoutMs: 30_000 });
  await database.write(() => database.connection.exec("CREATE TABLE numbers (n, filler)"));
  const insert = database.connection.prepare("INSERT INTO numbers VALUES (?, ?)");
  return {
    path,
    database,
    /** Each in a transaction of its own. */
    async add(count: number, fillerBytes = 1): Promise<void> {
      const filler = "x".repeat(fillerBytes);
      for (let n = 0; n < count; n++) await database.write(() => insert.run(n, filler));
    },
    async [Symbol.asyncDispose]() {
      await database.close();
      await directory.remove();
    },
  };
}

/** How many numbers the file has by itself, whatever its log holds. */
function countWithoutLog(path: string): number {
  const copy = `${path}.copy`;
  copyFileSync(path, copy);
  const connection = new DatabaseSync(copy);
  try {
    const hasTable = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'numbers'").get();
    if (hasTable === undefined) return 0;
    return Number(connection.prepare("SELECT count(*) AS count FROM numbers").get()?.["count"]);
  } finally {
    connection.close();
    rmSync(copy);
  }
}

test("the log is copied into the file long before a commit would have to", async () => {
  await using numbers = await openNumbers();
  await numbers.add(600, PAGE_BYTES);
  await waitFor(() => countWithoutLog(numbers.path) > 400, {
    what: "the file to hold the numbers",
  });
  expect(statSync(`${numbers.path}-wal`).size).toBeLessThan(LONGEST_LOG * PAGE_BYTES);
});

test("the log does not grow with what is written", async () => {
  await using numbers = await openNumbers();
  // 32,000 pages and more.
  await numbers.add(4_000, 8 * PAGE_BYTES);
  expect(statSync(`${numbers.path}-wal`).size).toBeLessThan(1.25 * LONGEST_LOG * PAGE_BYTES);
  const count = await numbers.database.read(() =>
    numbers.database.connection.prepare("SELECT count(*) AS count FROM numbers").get(),
  );
  expect(count).toEqual({ count: 4_000 });
});

test("a file that was closed has no log beside it, and all that was written", async () => {
  await using numbers = await openNumbers();
  await numbers.add(600, PAGE_BYTES);
  await numbers.database.close();
  expect(existsSync(`${numbers.path}-wal`)).toBe(false);
  expect(countWithoutLog(numbers.path)).toBe(600);
});

test("a file that was removed meanwhile is not made anew", async () => {
  await using numbers = await openNumbers();
  rmSync(numbers.path);
  await numbers.add(600, PAGE_BYTES);
  await numbers.database.close();
  expect(existsSync(numbers.path)).toBe(false);
});
