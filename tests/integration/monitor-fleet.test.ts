import { describe, expect, it } from "vitest";
import type { ConcurrencyReport, HealthReport } from "@kato-rpc/shared/monitor.ts";
import { createSession, dataOf, send } from "../support/http-calls.ts";
import { startRedis } from "../support/redis-server.ts";
import { sendBatch } from "../support/rpc-batch.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, type WatchedService } from "../support/watched-service.ts";

/** Several times as long as a report lives: by then a worker that died is forgotten. */
const FORGET_MS = 15_000;

describe.each(STORE_KINDS)("the fleet on %s", (kind) => {
  it("is the sum of four workers", async () => {
    await using store = await openTestStore(kind);
    await using service = await watchService({ store: store.url, workers: 4 });
    const sessionId = await createSession(service.url);

    const fleet = await waitFor(
      async () => {
        const batch = observations(sessionId, 5);
        await Promise.all([1, 2, 3, 4].map(() => sendBatch(service.url, batch)));
        const found = await concurrency(service, "fleet");
        const busy = found.workers.filter(({ peak }) => peak.concurrentRequests >= 5);
        return busy.length === 4 && found.workers.length === 4 ? found : undefined;
      },
      { what: "every worker to tell that it has had a batch" },
    );
    const own = await concurrency(service, "worker");

    expect(fleet).toMatchObject({
      scope: "fleet",
      status: "healthy",
      limits: { perWorker: 100, totalCapacity: 400 },
      configuration: { workers: 4 },
    });
    expect(new Set(fleet.workers.map(({ workerId }) => workerId)).size).toBe(4);
    for (const figure of ["current", "peak"] as const) {
      const sum = fleet.workers.reduce((all, each) => all + each[figure].concurrentRequests, 0);
      expect(fleet[figure]).toMatchObject({
        concurrentRequests: sum,
        utilizationPercent: Math.trunc((sum / 400) * 100),
      });
    }
    expect(own).toMatchObject({ scope: "worker", limits: { totalCapacity: 100 } });
    expect(own.workers).toHaveLength(1);
  });
});

describe("machines that share a Redis", () => {
  it("are one fleet: whoever stops leaves it at once, whoever dies within seconds", async () => {
    await using redis = await startRedis();
    await using asked = await watchService({ store: redis.url, workers: 2 });
    await using stopping = await watchService({
      store: redis.url,
      env: { KATO_LIMIT_CONCURRENCY: "30" },
    });
    await using dying = await watchService({ store: redis.url, workers: 2 });

    const all = await untilWorkers(asked, 5);
    expect(all.limits).toMatchObject({ perWorker: 100, totalCapacity: 430 });
    const health = await dataOf<HealthReport>(stopping.url, "monitor.health");
    expect(new Set(health.workers.map(({ pid }) => pid))).toEqual(
      new Set([asked, stopping, dying].flatMap((service) => service.workerPids())),
    );

    await stopping.stop();
    expect((await concurrency(asked, "fleet")).workers).toHaveLength(4);

    const [dead] = dying.workerPids();
    for (const pid of [dying.process.pid, ...dying.workerPids()]) process.kill(pid, "SIGKILL");
    const left = await untilWorkers(asked, 2);

    expect(left.limits.totalCapacity).toBe(200);
    const { workers } = await dataOf<HealthReport>(asked.url, "monitor.health");
    expect(workers.map(({ pid }) => pid)).not.toContain(dead);
  });
});

describe("monitor.health", () => {
  it("is unhealthy, soon, when Redis is down, and /ready is 503; both recover", async () => {
    await using redis = await startRedis();
    await using service = await watchService({ store: redis.url });
    const before = await untilHealthy(service);

    await redis.stop();
    const start = performance.now();
    const [during, ready, alive] = await Promise.all([
      dataOf<HealthReport>(service.url, "monitor.health"),
      send(`${service.url}/ready`),
      send(`${service.url}/health`),
    ]);
    const tookMs = performance.now() - start;
    await redis.restart();
    await waitFor(async () => (await send(`${service.url}/ready`)).status === 200, {
      what: "/ready to be 200 again",
    });
    await untilHealthy(service);

    expect(before).toMatchObject({
      status: "healthy",
      issues: [],
      store: { kind: "redis", reachable: true, latencyMs: expect.any(Number) },
      activeSessions: 0,
    });
    expect(during).toMatchObject({
      status: "unhealthy",
      issues: ["the store cannot be reached"],
      store: { kind: "redis", reachable: false, latencyMs: null },
      activeSessions: null,
    });
    expect(during.workers).toHaveLength(1);
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.text)).toEqual({ ready: false, reason: "the store cannot be reached" });
    expect(alive.status).toBe(200);
    // A call would wait for 5 s.
    expect(tookMs).toBeLessThan(3_000);
  });

  it("is unhealthy as soon when Redis is frozen", async () => {
    await using redis = await startRedis();
    await using service = await watchService({ store: redis.url });
    await dataOf(service.url, "monitor.health");
    await redis.pause();

    const start = performance.now();
    const { status } = await dataOf<HealthReport>(service.url, "monitor.health");
    const ready = await send(`${service.url}/ready`);

    expect(status).toBe("unhealthy");
    expect(ready.status).toBe(503);
    expect(performance.now() - start).toBeLessThan(4_000);
    await redis.resume();
  });

  it("is degraded by a worker whose event loop is late, and says which", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 2 });
    const [late] = service.workerPids();

    const pausedAt = performance.now();
    process.kill(late!, "SIGSTOP");
    await waitFor(() => performance.now() - pausedAt > 800, { what: "the worker to fall behind" });
    process.kill(late!, "SIGCONT");

    const { status, issues } = await waitFor(
      async () => {
        const found = await dataOf<HealthReport>(service.url, "monitor.health");
        return found.issues.some((issue) => issue.includes(`-${late}-`)) ? found : undefined;
      },
      { what: "the health to tell of the worker" },
    );
    expect(status).toBe("degraded");
    expect(issues).toContainEqual(
      expect.stringMatching(
        new RegExp(`^the event loop of \\S+-${late}-\\S+ is \\d+(\\.\\d+)? ms late$`),
      ),
    );
    await untilHealthy(service);
  });
});

function concurrency({ url }: WatchedService, scope: "fleet" | "worker") {
  return dataOf<ConcurrencyReport>(url, "monitor.concurrency", { input: { scope } });
}

/** On a busy machine a loop may be late, and the service degraded, for a second. */
function untilHealthy({ url }: WatchedService): Promise<HealthReport> {
  return waitFor(
    async () => {
      const found = await dataOf<HealthReport>(url, "monitor.health");
      return found.status === "healthy" ? found : undefined;
    },
    { what: "the service to be healthy" },
  );
}

function untilWorkers(service: WatchedService, count: number): Promise<ConcurrencyReport> {
  return waitFor(
    async () => {
      const found = await concurrency(service, "fleet");
      return found.workers.length === count ? found : undefined;
    },
    { what: `${count} workers in the fleet`, timeoutMs: FORGET_MS },
  );
}

function observations(sessionId: string, count: number) {
  return Array.from({ length: count }, () => ({
    path: "session.observe",
    input: { sessionId, strings: ["a"] },
  }));
}
