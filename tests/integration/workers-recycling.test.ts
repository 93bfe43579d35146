import { rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { callByPipelining } from "../support/clients/pipelining-client.ts";
import { call, createSession, dataOf } from "../support/http-calls.ts";
import { writeWorkerPreload } from "../support/preload.ts";
import { startRedis } from "../support/redis-server.ts";
import { openTestStore } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, type WatchedService } from "../support/watched-service.ts";

type Observed = { time: number };
type Health = { workers: { pid: number }[] };

describe("recycling", () => {
  it("replaces workers under load and drops not one request", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({
      store: store.url,
      workers: 2,
      // Of slow calls, which a busy machine has, there is nothing to tell here.
      env: { KATO_MAX_REQUESTS: "100", KATO_SLOW_MS: "0" },
    });

    const counts = await Promise.all([
      ...Array.from({ length: 6 }, () => observeInTurn(service, 300, { keepAlive: true })),
      ...Array.from({ length: 2 }, () => observeInTurn(service, 100, { keepAlive: false })),
      observePipelined(service, { rounds: 30, atOnce: 10 }),
    ]);

    expect(counts).toEqual([...Array(6).fill(300), 100, 100, 300]);
    const recycled = service.log().filter(({ msg }) => msg.startsWith("worker has served"));
    expect(recycled.length).toBeGreaterThanOrEqual(4);
    expect(service.log().filter(({ level }) => level !== "info")).toEqual([]);
    await waitFor(() => service.workerPids().length === 2, { what: "the replaced workers to end" });
  });

  it("lets a worker that leaves go on serving the clients it has, and asks them to come back", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({
      store: store.url,
      env: { KATO_MAX_REQUESTS: "3", KATO_SHUTDOWN_SECONDS: "600" },
    });
    const [first] = service.workerPids();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });

    const fromFirst: (string | undefined)[] = [];
    await waitFor(
      async () => {
        const { data, headers } = await call<Health>(service.url, "monitor.health", { agent });
        const isFromFirst = data?.workers[0]?.pid === first;
        if (isFromFirst) fromFirst.push(headers.connection);
        return !isFromFirst;
      },
      { what: "the connection to be closed and the successor to answer on the next one" },
    );

    expect(fromFirst.at(0)).toBe("keep-alive");
    expect(fromFirst.indexOf("close")).toBe(fromFirst.length - 1);
    await waitFor(() => !service.workerPids().includes(first!), { what: "the first one to end" });
  });

  it("answers all that a client has pipelined before its connection closes", async () => {
    await using redis = await startRedis();
    await using service = await watchService({
      store: redis.url,
      env: { KATO_MAX_REQUESTS: "10", KATO_SLOW_MS: "0" },
    });
    const sessionId = await createSession(service.url);
    const first = await answeringWorker(service);
    await redis.pause();

    const pipelined = callByPipelining(service.url, observations(sessionId, 5));
    // Makes up the share; what only concerns the worker itself needs no Redis.
    await waitFor(async () => (await answeringWorker(service)) !== first, {
      what: "the successor to answer new connections",
    });
    await redis.resume();

    expect((await pipelined).map(({ status }) => status)).toEqual(Array(5).fill(200));
  });

  it("leaves as many workers as before when one dies while its successor starts", async () => {
    await using store = await openTestStore("sqlite");
    await using directory = await makeTemporaryDirectory();
    const gate = join(directory.path, "gate");
    const preload = await writeWorkerPreload(
      directory.path,
      `const { existsSync } = await import("node:fs");
       const { setTimeout: delay } = await import("node:timers/promises");
       while (existsSync(${JSON.stringify(gate)})) await delay(10);`,
    );
    await using service = await watchService({
      store: store.url,
      env: { NODE_OPTIONS: preload, KATO_MAX_REQUESTS: "1" },
    });
    const [first] = service.workerPids();
    await writeFile(gate, "");

    await dataOf(service.url, "monitor.health");
    await service.waitForLog("worker has served its share");
    process.kill(first!, "SIGKILL");
    await service.waitForLog("worker died; its successor is starting");
    await rm(gate);

    // Its one request is the share of the successor as well, and so on: each has one successor, not two.
    for (let i = 0; i < 5; i++) await dataOf(service.url, "monitor.health");
    await waitFor(() => service.workerPids().length === 1, { what: "one worker to be left" });
  });
});

/** Observes on a session of its own, one call after another; gives how many the session then holds. */
async function observeInTurn(
  { url }: WatchedService,
  count: number,
  { keepAlive }: { keepAlive: boolean },
): Promise<number> {
  const sessionId = await createSession(url);
  const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
  for (let time = 1; time <= count; time++) {
    const observed = await dataOf<Observed>(url, "session.observe", {
      input: { sessionId, strings: [`s${time}`] },
      ...(agent === undefined ? {} : { agent }),
    });
    expect(observed.time).toBe(time);
  }
  agent?.destroy();
  return lengthOf(url, sessionId);
}

/** As `observeInTurn`, but several requests on one connection before the first answer, `rounds` times. */
async function observePipelined(
  { url }: WatchedService,
  { rounds, atOnce }: { rounds: number; atOnce: number },
): Promise<number> {
  const sessionId = await createSession(url);
  for (let round = 0; round < rounds; round++) {
    const replies = await callByPipelining(url, observations(sessionId, atOnce));
    expect(replies.map(({ status }) => status)).toEqual(Array(atOnce).fill(200));
  }
  return lengthOf(url, sessionId);
}

function observations(sessionId: string, count: number) {
  return Array.from({ length: count }, () => ({
    path: "session.observe",
    input: { sessionId, strings: ["a"] },
  }));
}

async function lengthOf(url: string, sessionId: string): Promise<number> {
  const { length } = await dataOf<{ length: number }>(url, "session.stm", {
    input: { sessionId },
  });
  return length;
}

async function answeringWorker({ url }: WatchedService): Promise<string | undefined> {
  const { workers } = await dataOf<{ workers: { workerId: string }[] }>(
    url,
    "monitor.concurrency",
    { input: { scope: "worker" } },
  );
  return workers[0]?.workerId;
}
