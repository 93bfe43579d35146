import { once } from "node:events";
import { copyFileSync, existsSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { SqliteDatabase } from "../../server/stores/sqlite/database.ts";
import type {
  LogCopierData,
  LogCopierMessage,
  LogCopierReply,
} from "../../server/stores/sqlite/log-copier-thread.ts";
import { LONG_LOG } from "../../server/stores/sqlite/log-copier.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { openFile } from "./sqlite-connection.ts";

const PAGE_BYTES = 4_096;

/** Connections to one new file, as several processes have them, with a table of numbers. */
async function openNumbers({ writers: count = 1 } = {}) {
  const directory = await makeTemporaryDirectory();
  const path = join(directory.path, "kato.db");
  const troubles: string[] = [];
  const onTrouble = ({ message }: Error) => void troubles.push(message);
  const writers = Array.from({ length: count }, () => {
    const database = SqliteDatabase.open(path, { timeoutMs: 30_000, onTrouble });
    database.connection.exec("CREATE TABLE IF NOT EXISTS numbers (n, filler)");
    const insert = database.connection.prepare("INSERT INTO numbers VALUES (?, ?)");
    return { database, insert };
  });
  const close = (from = 0) =>
    Promise.all(writers.slice(from).map(({ database }) => database.close()));
  return {
    path,
    troubles,
    /** The writers from this one on. */
    close,
    /** By each writer, or one, each in a transaction of its own. */
    async add(numbers: number, fillerBytes = PAGE_BYTES, writer?: number): Promise<void> {
      const filler = "x".repeat(fillerBytes);
      const adding = writer === undefined ? writers : writers.slice(writer, writer + 1);
      await Promise.all(
        adding.map(async ({ database, insert }) => {
          for (let n = 0; n < numbers; n++) await database.write(() => insert.run(n, filler));
        }),
      );
    },
    /** Pages that the log ever had at once. */
    longestLog: () => statSync(`${path}-wal`).size / PAGE_BYTES,
    async [Symbol.asyncDispose]() {
      await close();
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
    return Number(connection.prepare("SELECT count(*) AS count FROM numbers").get()?.["count"]);
  } finally {
    connection.close();
    rmSync(copy);
  }
}

test("the log is copied into the file while it is written, long before a commit would have to", async () => {
  await using numbers = await openNumbers();
  const isCopied = async () => {
    await numbers.add(50);
    return countWithoutLog(numbers.path) > 300;
  };
  await waitFor(isCopied, { what: "the file to hold the numbers" });
  expect(numbers.longestLog()).toBeLessThan(8_000);
  expect(numbers.troubles).toEqual([]);
});

test.each([
  { writers: 1, pages: 64 },
  { writers: 3, pages: 8 },
])("the log does not grow with what $writers write", async ({ writers, pages }) => {
  await using numbers = await openNumbers({ writers });
  // In all, two and a half times what the log may hold.
  await numbers.add((2.5 * LONG_LOG) / pages / writers, pages * PAGE_BYTES);
  expect(numbers.longestLog()).toBeLessThan(1.5 * LONG_LOG);
});

/** Has the log copied by a thread that writes the file to the disk by this descriptor; gives what it replies. */
async function copyLog(path: string, descriptor: number): Promise<LogCopierReply> {
  const workerData: LogCopierData = { path, descriptor };
  const url = new URL("../../server/stores/sqlite/log-copier-thread.ts", import.meta.url);
  const thread = new Worker(url, { workerData });
  const ended = once(thread, "exit");
  const tell = (message: LogCopierMessage) => thread.postMessage(message, []);
  tell("copy");
  const [reply] = (await once(thread, "message")) as [LogCopierReply];
  tell("end");
  await ended;
  return reply;
}

test("the file is written to the disk before a long log begins anew", async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, "kato.db");
  using connection = openFile(path);
  connection.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
  connection.exec("CREATE TABLE fillers (filler)");
  const add = (pages: number) =>
    connection.exec(`INSERT INTO fillers VALUES (zeroblob(${pages * PAGE_BYTES}))`);
  add(1_000);
  // By this nothing can be written to a disk, which only a long log asks for.
  const nowhere = openSync("/dev/null", "r+");
  expect(await copyLog(path, nowhere)).toEqual({ left: 0 });
  for (let i = 0; i < 5; i++) add(0.15 * LONG_LOG);
  expect(await copyLog(path, nowhere)).toMatchObject({ failure: expect.stringMatching(/sync/) });
  expect(await copyLog(path, openSync(path, "r+"))).toEqual({ left: 0 });
});

test("somebody who reads for long lets the log grow, and nobody wait", async () => {
  await using numbers = await openNumbers();
  const rounds = 500;
  const timeToAdd = async () => {
    const start = performance.now();
    await numbers.add(rounds, 1);
    return performance.now() - start;
  };
  const before = await timeToAdd();
  const reader = new DatabaseSync(numbers.path);
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM numbers").get();
  await numbers.add((1.5 * LONG_LOG) / 16, 16 * PAGE_BYTES);
  expect(numbers.longestLog()).toBeGreaterThan(1.4 * LONG_LOG);
  const beside = Math.min(await timeToAdd(), await timeToAdd(), await timeToAdd());
  expect(beside / before).toBeLessThan(20);

  reader.exec("COMMIT");
  reader.close();
  const isCopied = async () => {
    await numbers.add(100);
    return countWithoutLog(numbers.path) > 4 * rounds + (1.5 * LONG_LOG) / 16;
  };
  await waitFor(isCopied, { what: "the log to be copied once the reader is gone" });
});

test("a file that was removed after it was copied is not made anew for another connection's copy", async () => {
  await using numbers = await openNumbers({ writers: 2 });
  const isCopied = async () => {
    await numbers.add(50, PAGE_BYTES, 0);
    return countWithoutLog(numbers.path) > 300;
  };
  await waitFor(isCopied, { what: "the file to hold the numbers" });
  rmSync(numbers.path);
  const isTold = async () => {
    await numbers.add(100, PAGE_BYTES, 1);
    return numbers.troubles.length > 0;
  };
  await waitFor(isTold, { what: "the trouble to be told" });
  expect(numbers.troubles).toEqual([
    expect.stringMatching(/log .* cannot be copied: unable to open/),
  ]);
  expect(existsSync(numbers.path)).toBe(false);
});

test("a file that was closed has no log beside it, and all that was written", async () => {
  await using numbers = await openNumbers();
  await numbers.add(600);
  await numbers.close();
  expect(existsSync(`${numbers.path}-wal`)).toBe(false);
  expect(countWithoutLog(numbers.path)).toBe(600);
  await expect(numbers.add(1)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});

/** As the system lists them, without their numbers. */
function locksOn(path: string): string[] {
  const { ino } = statSync(path);
  const lines = readFileSync("/proc/locks", "utf8").split("\n");
  const own = new RegExp(` ${process.pid} \\S+:${ino} `);
  return lines.filter((line) => own.test(line)).map((line) => line.replace(/^\d+: /, ""));
}

test.skipIf(!existsSync("/proc/locks"))(
  "a process keeps its locks on a file of which one of several connections is closed",
  async () => {
    await using numbers = await openNumbers({ writers: 2 });
    await numbers.add(10);
    // So that the one that is closed has copied.
    await numbers.add(1_500, PAGE_BYTES, 1);
    const before = locksOn(numbers.path);
    await numbers.close(1);

    expect(before).toHaveLength(1);
    expect(locksOn(numbers.path)).toEqual(before);
  },
);

test("a file that was removed meanwhile is not made anew, and whoever runs the service hears of it once", async () => {
  await using numbers = await openNumbers();
  rmSync(numbers.path);
  const isTold = async () => {
    await numbers.add(100);
    return numbers.troubles.length > 0;
  };
  await waitFor(isTold, { what: "the trouble to be told" });
  await numbers.add(1_000);
  await numbers.close();
  expect(numbers.troubles).toEqual([expect.stringMatching(/log .* cannot be copied: .*open/)]);
  expect(existsSync(numbers.path)).toBe(false);
});
