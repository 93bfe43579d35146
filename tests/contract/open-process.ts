/**
 * A process that opens new files in the directory of its first argument, one after another: each at a moment that
 * follows from the second (epoch ms), so that all processes with the same arguments open each file at once.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SqliteDatabase } from "../../server/stores/sqlite/database.ts";

const FILES = 20;
const INTERVAL_MS = 40;

const [directory = "", startAt = ""] = process.argv.slice(2);
for (let i = 0; i < FILES; i += 1) {
  await delay(Number(startAt) + i * INTERVAL_MS - Date.now());
  const database = SqliteDatabase.open(join(directory, `${i}.db`), { timeoutMs: 40_000 });
  await database.write(() => {
    database.connection.exec(`INSERT INTO workers VALUES ('${process.pid}', '', 0)`);
  });
  await database.close();
}
