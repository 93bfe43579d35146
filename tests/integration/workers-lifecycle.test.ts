import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { call, createSession, dataOf } from "../support/http-calls.ts";
import { writeWorkerPreload } from "../support/preload.ts";
import { openTestStore } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, watchStart, type WatchedService } from "../support/watched-service.ts";

type Health = { workers: { workerId: string; pid: number }[] };
type Concurrency = { workers: { workerId: string }[] };

describe("workers", () => {
  it("all answer on one port", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 3 });

    const answering = new Set<string>();
    for (let i = 0; i < 30; i++) answering.add(await answeringWorker(service.url));

    expect(answering.size).toBe(3);
    const { workers } = await dataOf<Health>(service.url, "monitor.health");
    expect(new Set(workers.map(({ pid }) => pid))).toEqual(new Set(service.workerPids()));
  });

  it("are replaced when they are killed, and no call waits for the dead", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 2 });
    const sessionId = await createSession(service.url);
    const before = service.workerPids();

    process.kill(before[0]!, "SIGKILL");
    const replies = await observeAll(service, sessionId, 100);

    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    await waitFor(
      async () => {
        const { workers } = await dataOf<Health>(service.url, "monitor.health");
        const pids = workers.map(({ pid }) => pid);
        return pids.length === 2 && !pids.includes(before[0]!) && pids.includes(before[1]!);
      },
      { what: "the new worker to be in monitor.health in the place of the dead one" },
    );
  });

  it("are replaced after a wait that grows while they die young", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url });

    const waits: unknown[] = [];
    for (let deaths = 1; deaths <= 3; deaths++) {
      // Answered only by a worker, so one is there to be killed.
      await answeringWorker(service.url);
      // Ends a process that doesn't handle it, as a crash would; SIGKILL would come from outside.
      process.kill(service.workerPids()[0]!, "SIGUSR2");
      const lines = await waitFor(
        () => {
          const died = service.log().filter(({ msg }) => msg === "worker died");
          return died.length === deaths ? died : undefined;
        },
        { what: `death ${deaths} in the log` },
      );
      waits.push(lines.at(-1)?.["restartInMs"]);
    }

    expect(waits).toEqual([100, 200, 400]);
  });

  it("leave their port open when the last of them dies: calls wait for its successor", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url });
    const sessionId = await createSession(service.url);
    const [pid] = service.workerPids();

    process.kill(pid!, "SIGKILL");
    await service.waitForLog("worker died");
    const replies = await observeAll(service, sessionId, 20);

    expect(replies.map(({ data }) => data?.time).sort((a, b) => a! - b!)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  it("get no connection back that they died over: another worker takes it", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 2 });
    const [stuck] = service.workerPids();

    // It is sent the next connection, and cannot say that it has it.
    process.kill(stuck!, "SIGSTOP");
    const calls = [1, 2, 3, 4].map(() => answeringWorker(service.url));
    await Promise.any(calls);
    process.kill(stuck!, "SIGKILL");

    await expect(Promise.all(calls)).resolves.toHaveLength(4);
  });

  it("end the process with a reason when they die as soon as they serve", async () => {
    await using store = await openTestStore("sqlite");
    await using directory = await makeTemporaryDirectory();
    const preload = await writeWorkerPreload(
      directory.path,
      `const send = process.send;
       process.send = (message, ...rest) => {
         if (message?.kind === "ready") process.exit(7);
         return send.call(process, message, ...rest);
       };`,
    );
    await using start = await watchStart({ store: store.url, env: { NODE_OPTIONS: preload } });

    const exit = await start.ended(30_000);

    expect(exit).toEqual({ code: 1, signal: null });
    expect(start.log().map(({ level, restartInMs }) => [level, restartInMs])).toEqual([
      ["error", 100],
      ["error", 200],
      ["error", 400],
      ["error", 800],
      ["fatal", undefined],
    ]);
    expect(start.log().at(-1)?.msg).toBe(
      "crash loop: workers die soon after their start, the last one by exit code 7",
    );
  });
});

describe("workers that are killed from outside", () => {
  it("are replaced each time, however soon and often, and wait longer as they die young", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url });

    // More than make a crash loop.
    for (let kill = 1; kill <= 6; kill += 1) {
      const pid = await waitFor(() => service.workerPids()[0], { what: `worker ${kill} to run` });
      process.kill(pid, "SIGKILL");
      await waitFor(() => !service.workerPids().includes(pid), { what: `worker ${kill} to end` });
    }

    expect(await answeringWorker(service.url)).toBeDefined();
    const delays = service.log().filter(({ msg }) => msg === "worker died");
    expect(delays.map(({ how, restartInMs }) => [how, restartInMs])).toEqual(
      [100, 200, 400, 800, 1_000, 1_000].map((ms) => ["SIGKILL", ms]),
    );
  });
});

describe("workers that cannot start again", () => {
  it("leave the one that serves where it is, and are tried again until one can", async () => {
    await using store = await openTestStore("sqlite");
    await using directory = await makeTemporaryDirectory();
    const gate = join(directory.path, "gate");
    const preload = await writeWorkerPreload(
      directory.path,
      `const { existsSync } = await import("node:fs");
       if (existsSync(${JSON.stringify(gate)})) process.exit(7);`,
    );
    await using service = await watchService({
      store: store.url,
      env: { KATO_MAX_REQUESTS: "5", NODE_OPTIONS: preload },
    });
    const [first] = service.workerPids();
    await writeFile(gate, "");

    for (let i = 0; i < 5; i += 1) await answeringWorker(service.url);
    // As many make a crash loop where nobody serves.
    const fifth = await service.waitForLog("worker died, like those before it", 30_000);
    const answering = await answeringWorker(service.url);
    await rm(gate);

    expect(fifth).toMatchObject({ level: "error", how: "exit code 7", restartInMs: 1_600 });
    expect(answering).toContain(`-${first}-`);
    await waitFor(async () => !(await answeringWorker(service.url)).includes(`-${first}-`), {
      what: "the successor to answer",
      timeoutMs: 30_000,
    });
  });

  it("end the process with the reason in one line: the SQLite file is none any more", async () => {
    await using directory = await makeTemporaryDirectory();
    const file = join(directory.path, "kato.db");
    await using service = await watchService({ store: `sqlite:${file}` });
    const [pid] = service.workerPids();

    for (const suffix of ["", "-wal", "-shm"]) await rm(`${file}${suffix}`, { force: true });
    await writeFile(file, "this is no database".repeat(1_000));
    process.kill(pid!, "SIGKILL");
    const exit = await service.ended(30_000);

    expect(exit).toEqual({ code: 1, signal: null });
    const fatal = service.log().filter(({ level }) => level === "fatal");
    expect(fatal.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(
        /^crash loop: workers die soon after their start, the last one by exit code 1: the store cannot be opened: .*not a database/,
      ),
    ]);
  });
});

describe("a start that cannot succeed", () => {
  it.each([
    ["a wrong value", { KATO_QUEUE_LIMIT: "many" }, /^kato: KATO_QUEUE_LIMIT "many": /],
    ["an unknown setting", { KATO_WOKERS: "2" }, /^kato: KATO_WOKERS: there is no such setting/],
  ])("ends at once and says why: %s", async (_, env, expected) => {
    await using start = await watchStart({ store: "sqlite::memory:", workers: 2, env });

    const exit = await start.ended();

    expect(exit.code).toBe(1);
    expect(start.process.stdout).toEqual([]);
    expect(start.process.stderr).toEqual([expect.stringMatching(expected)]);
  });

  it("ends at once and says why: the port is taken", async () => {
    const port = await freePort();
    const holder = createServer().listen(port, "127.0.0.1");
    await once(holder, "listening");
    await using store = await openTestStore("sqlite");
    await using start = await watchStart({ store: store.url, workers: 4, port });

    const exit = await start.ended();

    expect(exit.code).toBe(1);
    expect(messages(start)).toEqual([
      `cannot start: cannot listen on 127.0.0.1:${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
    ]);
    holder.close();
  });

  it("ends at once and says why: the SQLite file cannot be opened", async () => {
    await using directory = await makeTemporaryDirectory();
    await writeFile(join(directory.path, "file"), "");
    await using start = await watchStart({
      store: `sqlite:${directory.path}/file/kato.db`,
      workers: 4,
    });

    const exit = await start.ended();

    expect(exit.code).toBe(1);
    expect(messages(start)).toEqual([
      expect.stringMatching(/^cannot start: the store cannot be opened: .*file\/kato\.db/),
    ]);
  });

  it("leaves no process when it is told to end meanwhile", async () => {
    await using store = await openTestStore("sqlite");
    await using start = await watchStart({ store: store.url, workers: 2 });
    await waitFor(() => start.workerPids().length === 2, { what: "both workers to start" });

    const exit = await start.stop();

    expect(exit).toEqual({ code: 0, signal: null });
  });
});

async function answeringWorker(url: string): Promise<string> {
  const { workers } = await dataOf<Concurrency>(url, "monitor.concurrency", {
    input: { scope: "worker" },
  });
  return workers[0]!.workerId;
}

function observeAll({ url }: WatchedService, sessionId: string, count: number) {
  return Promise.all(
    Array.from({ length: count }, () =>
      call<{ time: number }>(url, "session.observe", { input: { sessionId, strings: ["a"] } }),
    ),
  );
}

function messages(start: Pick<WatchedService, "log" | "process">): string[] {
  expect(start.process.stderr).toEqual([]);
  return start.log().map(({ msg }) => msg);
}
