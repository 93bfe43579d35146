import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { StartedProcess } from "../support/processes.ts";
import { startProcess } from "../support/processes.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { followLog, readNode, replayLog, TAG } from "./node-builders.ts";
import { createSession, readAll } from "./session-builders.ts";
import { fileOf, openFile } from "./sqlite-connection.ts";
import { openSqlitePlace, StorePlace } from "./store-place.ts";

const APPEND_PROCESS = fileURLToPath(new URL("./append-process.ts", import.meta.url));
const LEARN_PROCESS = fileURLToPath(new URL("./learn-process.ts", import.meta.url));
const OPEN_PROCESS = fileURLToPath(new URL("./open-process.ts", import.meta.url));
const HOLD_LOCK_PROCESS = fileURLToPath(new URL("./hold-lock-process.ts", import.meta.url));

describe("several processes on one file", () => {
  test("lose nothing that was acknowledged to any of them", async () => {
    await using place = await openSqlitePlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions);

    const names = ["a", "b"];
    const children = await startAppending({ place, sessionId, count: 120, names });
    for (const child of children) expect(await child.exited).toEqual({ code: 0, signal: null });

    const { stm, state } = await readAll(sessions, sessionId);
    expect(state).toMatchObject({ time: 240, version: 240, stmLength: 240 });
    for (const name of names) {
      const own = stm.flat().filter((symbol) => symbol.startsWith(name));
      expect(own).toEqual(Array.from({ length: 120 }, (_, i) => `${name}-${i}`));
    }
  });

  test("lose nothing that was acknowledged when one is killed", async () => {
    await using place = await openSqlitePlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions);

    const [child] = await startAppending({ place, sessionId, count: 1_000_000, names: ["a"] });
    await child!.waitForLine(/acknowledged a-50$/);
    child!.signal("SIGKILL");
    await child!.exited;

    const acknowledged = child!.stdout.filter((line) => line.startsWith("acknowledged"));
    const { stm, state } = await readAll(sessions, sessionId);
    expect(stm.length).toBeGreaterThanOrEqual(acknowledged.length);
    expect(stm).toEqual(stm.map((_, i) => [`a-${i}`]));
    expect(state.time).toBe(stm.length);
  });

  test("tell rows and the log's number of one moment while others learn", async () => {
    await using place = await openSqlitePlace();
    const { nodes } = await place.open();
    const child = await startLearning({ place, count: 2_000 });
    const numbers = new Set<number>();

    for (let isLearning = true; isLearning;) {
      const page = await nodes.readRows(TAG, "patterns", { cursor: null, limit: 1_000 });
      const learned = page.rows.reduce((sum, [, , frequency]) => sum + frequency, 0);
      expect(learned).toBe(page.number);
      numbers.add(page.number);
      isLearning = page.number < 2_000;
      await new Promise(setImmediate);
    }

    expect(numbers.size).toBeGreaterThan(50);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  test("lose no learn that was acknowledged when one is killed, and have none by halves", async () => {
    await using place = await openSqlitePlace();
    const { nodes } = await place.open();
    const child = await startLearning({ place, count: 4_000 });
    await child.waitForLine(/acknowledged 300$/);
    child.signal("SIGKILL");
    await child.exited;

    const acknowledged = child.stdout.filter((line) => line.startsWith("acknowledged"));
    const contents = await readNode(nodes);
    expect(contents.number).toBeGreaterThanOrEqual(acknowledged.length);
    expect(contents.totals.frequencies).toBe(contents.number);
    expect(replayLog(await followLog(nodes)).contents()).toEqual(contents);
  });

  test("may make empty files theirs at the same moments", async () => {
    await using directory = await makeTemporaryDirectory();

    const args = [OPEN_PROCESS, directory.path, String(soon())];
    const children = await Promise.all(
      Array.from({ length: 4 }, () => startProcess({ command: process.execPath, args })),
    );

    for (const child of children) {
      expect(await child.exited, child.describeOutput()).toEqual({ code: 0, signal: null });
    }
    const files = (await readdir(directory.path)).filter((name) => name.endsWith(".db"));
    expect(files).toHaveLength(20);
    for (const name of files) {
      using file = openFile(join(directory.path, name));
      expect(file.prepare("SELECT * FROM workers").all()).toHaveLength(4);
    }
  });
});

describe("opening a file", () => {
  test("makes the directories on its way", async () => {
    await using directory = await makeTemporaryDirectory();
    await using place = new StorePlace(`sqlite:${join(directory.path, "a", "b", "kato.db")}`);
    const { sessions } = await place.open();

    expect(await createSession(sessions)).toEqual(expect.any(String));
  });

  test("waits for another process that has just begun to make it", async () => {
    await using place = await openSqlitePlace();
    const args = [HOLD_LOCK_PROCESS, fileOf(place), "200"];
    await using holder = await startProcess({ command: process.execPath, args });
    await holder.waitForLine(/locked/);

    const { sessions } = await place.open();

    expect(await createSession(sessions)).toEqual(expect.any(String));
  });

  test("that is no database says so, names it and leaves it as it was", async () => {
    await using directory = await makeTemporaryDirectory();
    const path = join(directory.path, "notes.txt");
    const text = "no database, ".repeat(1_000);
    await writeFile(path, text);
    await using place = new StorePlace(`sqlite:${path}`);

    await expect(place.open()).rejects.toThrow(`SQLite file ${path}: file is not a database`);
    expect(await readFile(path, "utf8")).toBe(text);
  });

  test("that is a directory says that it cannot be opened", async () => {
    await using directory = await makeTemporaryDirectory();
    const path = join(directory.path, "kato.db");
    await mkdir(path);
    await using place = new StorePlace(`sqlite:${path}`);

    await expect(place.open()).rejects.toThrow(`SQLite file ${path}: unable to open`);
  });

  test("that a newer release made is refused and left as it was", async () => {
    await using place = await openSqlitePlace();
    await (await place.open()).close();
    using file = openFile(fileOf(place));
    file.exec("PRAGMA user_version = 9999");

    await expect(place.open()).rejects.toThrow("made by a newer release");
    expect(file.prepare("PRAGMA user_version").get()).toEqual({ user_version: 9999 });
  });
});

/** A moment (epoch ms) by which processes started now are ready to begin together. */
function soon(): number {
  return Date.now() + 1_000;
}

/** Processes that begin together, each appending `count` events named after it. */
async function startAppending(work: {
  place: StorePlace;
  sessionId: string;
  count: number;
  names: readonly string[];
}): Promise<StartedProcess[]> {
  const args = [APPEND_PROCESS, soon(), work.place.url, work.sessionId, work.count].map(String);
  return Promise.all(
    work.names.map((name) => startProcess({ command: process.execPath, args: [...args, name] })),
  );
}

/** A process that learns so many times. */
function startLearning(work: { place: StorePlace; count: number }): Promise<StartedProcess> {
  const args = [LEARN_PROCESS, work.place.url, String(work.count)];
  return startProcess({ command: process.execPath, args });
}
