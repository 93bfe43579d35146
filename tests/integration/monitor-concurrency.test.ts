import { describe, expect, it } from "vitest";
import type { ConcurrencyReport } from "@kato-rpc/shared/monitor.ts";
import type { CallReply } from "../support/http-calls.ts";
import { call, createSession, dataOf } from "../support/http-calls.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { openFaultProxy } from "../support/faults/fault-proxy.ts";
import { startRedis } from "../support/redis-server.ts";
import { sendBatch } from "../support/rpc-batch.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, type WatchedService } from "../support/watched-service.ts";

/** A worker whose calls hang as long as its Redis is paused; the report's own call counts as well. */
async function startWithSession(redis: RedisServer, env: Record<string, string>) {
  const service = await watchService({ store: redis.url, env: { KATO_SLOW_MS: "0", ...env } });
  return { service, sessionId: await createSession(service.url) };
}

describe("monitor.concurrency", () => {
  it("counts a batch of 50 calls as 50, while they run and as the peak", async () => {
    await using redis = await startRedis();
    const { service, sessionId } = await startWithSession(redis, {});
    await using _ = service;
    await redis.pause();

    const batch = sendBatch(service.url, observations(sessionId, 50));
    const busy = await untilRunning(service, 51);
    await redis.resume();
    const { status, items } = await batch;
    const idle = await report(service);

    expect(busy.current).toEqual({ concurrentRequests: 51, waiting: 0, utilizationPercent: 51 });
    expect(busy.peak).toEqual({ concurrentRequests: 51, utilizationPercent: 51 });
    expect(busy.workers).toHaveLength(1);
    expect(status).toBe(200);
    expect(items.map(({ data }) => (data as { time: number }).time)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    expect(idle.current.concurrentRequests).toBe(1);
    expect(idle.peak.concurrentRequests).toBe(51);
    expect(idle).toMatchObject({
      scope: "worker",
      limits: {
        perWorker: 100,
        warningThreshold: 80,
        criticalThreshold: 95,
        totalCapacity: 100,
        queueLimit: 2048,
      },
      configuration: { workers: 1, backlog: 2048, maxRequests: "unlimited" },
    });
  });

  it("warns at 80 % of the limit and is critical at 95 %, cut to whole calls, and logs both", async () => {
    await using redis = await startRedis();
    // 80 % is 16.8, 95 % is 19.95: the status goes by 16 and 19, the recommendations by the fractions.
    const { service, sessionId } = await startWithSession(redis, { KATO_LIMIT_CONCURRENCY: "21" });
    await using _ = service;
    await redis.pause();

    const seen: [running: number, status: string, levels: string[]][] = [];
    const batches: Promise<unknown>[] = [];
    for (const [more, running] of [
      [14, 15],
      [1, 16],
      [1, 17],
      [1, 18],
      [1, 19],
      [1, 20],
    ] as const) {
      batches.push(sendBatch(service.url, observations(sessionId, more)));
      const { status, recommendations } = await untilRunning(service, running);
      seen.push([running, status, recommendations.map(({ level }) => level)]);
    }
    await redis.resume();
    await Promise.all(batches);

    expect(seen).toEqual([
      [15, "healthy", ["info"]],
      [16, "warning", ["info"]],
      [17, "warning", ["warning"]],
      [18, "warning", ["warning"]],
      [19, "critical", ["warning", "urgent"]],
      [20, "critical", ["critical", "urgent"]],
    ]);
    expect(await service.waitForLog("80 % of")).toMatchObject({
      level: "warn",
      running: 16,
      limit: 21,
      utilizationPercent: 76,
    });
    expect(await service.waitForLog("95 % of")).toMatchObject({ level: "error", running: 19 });
    expect((await report(service)).status).toBe("healthy");
  });

  it("shows who waits; what no longer fits is OVERLOADED, and the others succeed", async () => {
    await using redis = await startRedis();
    const { service, sessionId } = await startWithSession(redis, {
      KATO_LIMIT_CONCURRENCY: "4",
      KATO_QUEUE_LIMIT: "3",
    });
    await using _ = service;
    await redis.pause();

    const accepted = Array.from({ length: 7 }, () => observe(service, sessionId));
    const full = await waitFor(
      async () => {
        const found = await report(service);
        return found.current.waiting === 3 ? found : undefined;
      },
      { what: "the queue to be full" },
    );
    const refused = await observe(service, sessionId);
    const refusedBatch = await sendBatch(service.url, observations(sessionId, 2));
    await redis.resume();
    const replies = await Promise.all(accepted);

    expect(full).toMatchObject({ status: "critical", current: { concurrentRequests: 5 } });
    expect(refused).toMatchObject({
      status: 503,
      error: { kato: "OVERLOADED", retryAfterMs: 500 },
      headers: { "retry-after": "1" },
    });
    expect(refusedBatch.headers["retry-after"]).toBe("1");
    expect(refusedBatch.items.map(({ error }) => error?.kato)).toEqual([
      "OVERLOADED",
      "OVERLOADED",
    ]);
    expect(replies.map(({ status }) => status)).toEqual(Array(7).fill(200));
    const { current, peak } = await report(service);
    expect(current).toMatchObject({ concurrentRequests: 1, waiting: 0 });
    expect(peak.concurrentRequests).toBe(5);
  });

  it("answers those in a batch that fit and refuses the rest, each by itself", async () => {
    await using redis = await startRedis();
    const { service, sessionId } = await startWithSession(redis, {
      KATO_LIMIT_CONCURRENCY: "4",
      KATO_QUEUE_LIMIT: "3",
    });
    await using _ = service;

    const { status, headers, items } = await sendBatch(service.url, observations(sessionId, 10));

    expect(status).toBe(207);
    expect(headers["retry-after"]).toBe("1");
    expect(items.map(({ error }) => error?.kato ?? "ok")).toEqual([
      ...Array(7).fill("ok"),
      ...Array(3).fill("OVERLOADED"),
    ]);
  });

  it("is OVERLOADED for calls that wait past their deadline, and nothing of them happens", async () => {
    await using redis = await startRedis();
    await using proxy = await openFaultProxy({ port: redis.port });
    proxy.set({ direction: "down", latencyMs: 150 });
    await using service = await watchService({
      store: `redis://127.0.0.1:${proxy.port}`,
      env: { KATO_LIMIT_CONCURRENCY: "1", KATO_DEADLINE_MS: "1000", KATO_SLOW_MS: "0" },
    });
    const sessionId = await createSession(service.url);

    // One after another and 150 ms each: the last ones would have to wait for 3 s.
    const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`);
    const replies = await Promise.all(ids.map((id) => observe(service, sessionId, id)));

    const overloaded = replies.filter(({ error }) => error?.kato === "OVERLOADED");
    expect(overloaded.length).toBeGreaterThanOrEqual(10);
    expect(replies.filter(({ data }) => data !== undefined).length).toBeGreaterThan(0);
    for (const reply of overloaded) {
      expect(reply).toMatchObject({
        status: 503,
        error: { retryAfterMs: expect.any(Number) },
        headers: { "retry-after": "1" },
      });
    }
    const [id = ""] = ids.filter((_, i) => overloaded.includes(replies[i]!));
    expect((await observe(service, sessionId, id)).data?.replayed).toBe(false);
  });
});

function observations(sessionId: string, count: number) {
  return Array.from({ length: count }, () => ({
    path: "session.observe",
    input: { sessionId, strings: ["a"] },
  }));
}

function observe(
  { url }: WatchedService,
  sessionId: string,
  observationId?: string,
): Promise<CallReply<{ time: number; replayed: boolean }>> {
  return call(url, "session.observe", { input: { sessionId, strings: ["a"], observationId } });
}

function report({ url }: WatchedService): Promise<ConcurrencyReport> {
  return dataOf(url, "monitor.concurrency", { input: { scope: "worker" } });
}

function untilRunning(service: WatchedService, count: number): Promise<ConcurrencyReport> {
  return waitFor(
    async () => {
      const found = await report(service);
      return found.current.concurrentRequests === count ? found : undefined;
    },
    { what: `${count} calls to run` },
  );
}
