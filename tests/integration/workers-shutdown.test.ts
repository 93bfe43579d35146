import { Agent } from "node:http";
import { describe, expect, it } from "vitest";
import type { CallReply } from "../support/http-calls.ts";
import { call, createSession, dataOf, send } from "../support/http-calls.ts";
import { findProcessStatus } from "../support/process-status.ts";
import { startRedis } from "../support/redis-server.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, type WatchedService } from "../support/watched-service.ts";

type Observed = { time: number };
type Concurrency = { current: { concurrentRequests: number } };

const WELL = { code: 0, signal: null };

describe.each([1, 2])("SIGTERM to a service of %i workers", (workers) => {
  it("answers the call under way and refuses new ones, then ends", async () => {
    await using redis = await startRedis();
    await using service = await watchService({ store: redis.url, workers });
    const sessionId = await createSession(service.url);
    await redis.pause();
    const agent = new Agent({ keepAlive: true });
    const underWay = observe(service, sessionId, agent);
    await untilRunning(service, 2);

    service.process.signal("SIGTERM");
    await waitFor(async () => (await send(`${service.url}/ready`)).status === 503, {
      what: "/ready to be 503 on a new connection",
    });
    const ready = await send(`${service.url}/ready`);
    const refused = await observe(service, sessionId);
    await redis.resume();
    const answered = await underWay;

    expect(JSON.parse(ready.text)).toEqual({ ready: false, reason: "draining" });
    expect(refused.status).toBe(503);
    expect(refused.error).toMatchObject({
      kato: "SHUTTING_DOWN",
      retryAfterMs: expect.any(Number),
    });
    expect(refused.headers["retry-after"]).toBe("1");
    expect(answered).toMatchObject({ status: 200, data: { time: 1 } });
    expect(answered.headers.connection).toBe("close");
    expect(await service.ended()).toEqual(WELL);
  });
});

describe.each(STORE_KINDS)("SIGTERM under load on %s", (kind) => {
  it("ends in order: every call is done and answered, or refused", async () => {
    await using store = await openTestStore(kind);
    const service = await watchService({ store: store.url, workers: 2 });
    const sessionIds = await Promise.all(
      Array.from({ length: 8 }, () => createSession(service.url)),
    );
    const clients = sessionIds.map((sessionId) => observeUntilTheEnd(service, sessionId));
    await waitFor(() => clients.every(({ times }) => times.length > 20), {
      what: "every client to be busy",
    });

    const exit = await service.stop();
    await Promise.all(clients.map(({ done }) => done));

    expect(exit).toEqual(WELL);
    expect(clients.flatMap(({ refusals }) => refusals)).toEqual(
      clients.flatMap(({ refusals }) => refusals.map(() => "SHUTTING_DOWN")),
    );
    await using successor = await watchService({ store: store.url });
    for (const [i, sessionId] of sessionIds.entries()) {
      const { stm } = await dataOf<{ stm: string[][] }>(successor.url, "session.stm", {
        input: { sessionId },
      });
      // Neither less than was acknowledged nor more: what was taken on was answered.
      expect(stm).toEqual(clients[i]!.times.map((time) => [`s${time}`]));
    }
  });
});

describe("the end of a service", () => {
  it("comes at the deadline when a call is stuck", async () => {
    await using redis = await startRedis();
    await using service = await watchService({
      store: redis.url,
      workers: 2,
      env: { KATO_DEADLINE_MS: "60000", KATO_SHUTDOWN_SECONDS: "1" },
    });
    const sessionId = await createSession(service.url);
    await redis.pause();
    const stuck = observe(service, sessionId).catch((error: unknown) => error);
    await untilRunning(service, 2);

    const start = performance.now();
    const exit = await service.stop();

    expect(exit.code).toBe(1);
    expect(performance.now() - start).toBeGreaterThan(1_000);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(await stuck).toBeInstanceOf(Error);
    expect(service.log().at(-1)).toMatchObject({
      level: "error",
      msg: "time to shut down is over: requests are cut off",
      requests: 1,
    });
    await redis.resume();
  });

  it("does not wait for a store that is frozen when no call is under way", async () => {
    await using redis = await startRedis();
    await using service = await watchService({ store: redis.url, workers: 2 });
    await createSession(service.url);
    await redis.pause();

    const exit = await service.stop();

    expect(exit).toEqual(WELL);
    await redis.resume();
  });

  it("is the same when a terminal sends SIGINT to every process at once", async () => {
    await using redis = await startRedis();
    await using service = await watchService({
      store: redis.url,
      workers: 2,
      env: { KATO_SLOW_MS: "0" },
    });
    const sessionId = await createSession(service.url);
    await redis.pause();
    const underWay = observe(service, sessionId);
    await untilRunning(service, 2);

    for (const pid of [...service.workerPids(), service.process.pid]) process.kill(pid, "SIGINT");
    await waitFor(async () => (await send(`${service.url}/ready`)).status === 503, {
      what: "the drain to begin",
    });
    await redis.resume();

    expect((await underWay).data).toMatchObject({ time: 1 });
    expect(await service.ended()).toEqual(WELL);
    expect(service.log().filter(({ level }) => level !== "info")).toEqual([]);
  });

  it("is not hastened by a second SIGTERM", async () => {
    await using redis = await startRedis();
    await using service = await watchService({ store: redis.url });
    const sessionId = await createSession(service.url);
    await redis.pause();
    const underWay = observe(service, sessionId);
    await untilRunning(service, 2);

    service.process.signal("SIGTERM");
    await waitFor(async () => (await send(`${service.url}/ready`)).status === 503, {
      what: "the drain to begin",
    });
    service.process.signal("SIGTERM");
    for (const pid of service.workerPids()) process.kill(pid, "SIGTERM");
    await redis.resume();

    expect((await underWay).data).toMatchObject({ time: 1 });
    expect(await service.ended()).toEqual(WELL);
  });

  it("reaches the workers when the primary is killed, once they have answered what is under way", async () => {
    await using redis = await startRedis();
    await using service = await watchService({ store: redis.url, workers: 2 });
    const sessionId = await createSession(service.url);
    await redis.pause();
    const underWay = observe(service, sessionId);
    await untilRunning(service, 2);

    const { pid } = service.process;
    service.process.signal("SIGKILL");
    await waitFor(() => findProcessStatus(pid) === undefined, { what: "the primary to be gone" });
    await redis.resume();

    expect((await underWay).data).toMatchObject({ time: 1 });
    await waitFor(() => service.workerPids().length === 0, { what: "the workers to end" });
  });

  it("is for the primary to tell: a worker that is told alone is replaced", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 2 });
    const [told, other] = service.workerPids();

    process.kill(told!, "SIGTERM");
    await waitFor(() => findProcessStatus(told!) === undefined, { what: "the worker to end" });

    await waitFor(() => service.workerPids().length === 2, { what: "its successor to start" });
    expect(service.workerPids()).toContain(other);
    expect(await service.waitForLog("worker ended")).toMatchObject({ level: "info", pid: told });
  });
});

function observe(
  { url }: WatchedService,
  sessionId: string,
  agent?: Agent,
): Promise<CallReply<Observed>> {
  return call<Observed>(url, "session.observe", {
    input: { sessionId, strings: ["a"] },
    ...(agent === undefined ? {} : { agent }),
  });
}

/** Waits until a worker runs `count` calls, the one that asks included. */
function untilRunning({ url }: WatchedService, count: number): Promise<unknown> {
  return waitFor(
    async () => {
      const { current } = await dataOf<Concurrency>(url, "monitor.concurrency", {
        input: { scope: "worker" },
      });
      return current.concurrentRequests >= count;
    },
    { what: `${count} calls to run` },
  );
}

/** Observes one after another on a connection that is kept alive, until a call is refused or the connection ends. */
function observeUntilTheEnd({ url }: WatchedService, sessionId: string) {
  const times: number[] = [];
  const refusals: unknown[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const run = async () => {
    for (;;) {
      const reply = await call<Observed>(url, "session.observe", {
        input: { sessionId, strings: [`s${times.length + 1}`] },
        agent,
      }).catch(() => undefined);
      if (reply?.data === undefined) {
        if (reply?.error !== undefined) refusals.push(reply.error.kato);
        break;
      }
      times.push(reply.data.time);
    }
    agent.destroy();
  };
  return { times, refusals, done: run() };
}
