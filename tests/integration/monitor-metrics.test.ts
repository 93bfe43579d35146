import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StatsReport } from "@kato-rpc/shared/monitor.ts";
import { readExposition } from "../support/exposition.ts";
import { call, createSession, dataOf, send } from "../support/http-calls.ts";
import { writeWorkerPreload } from "../support/preload.ts";
import { openTestStore } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, type WatchedService } from "../support/watched-service.ts";

const OBSERVED = 'kato_calls_total{procedure="session.observe",outcome="ok"}';
const NOT_FOUND = 'kato_calls_total{procedure="session.get",outcome="SESSION_NOT_FOUND"}';

describe("/metrics", () => {
  it("adds up all workers, the same whichever of them answers", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 3 });
    await observe(service, 30);
    for (let i = 0; i < 4; i++) {
      await call(service.url, "session.get", { input: { sessionId: "none-such" } });
    }

    // Asked on connections of their own, which the workers take in turn.
    for (let i = 0; i < 6; i++) {
      const reply = await send(`${service.url}/metrics`);
      const metrics = readExposition(reply.text);

      expect(reply.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
      expect(metrics.get(OBSERVED)).toBe(30);
      expect(metrics.get(NOT_FOUND)).toBe(4);
      expect(metrics.get("kato_observations_total")).toBe(30);
      expect(metrics.get("kato_sessions_created_total")).toBe(1);
      expect(metrics.get('kato_call_duration_seconds_count{procedure="session.observe"}')).toBe(30);
      expect(metrics.get("kato_calls_running")).toBe(0);
    }
  });

  it("never counts backwards: not when workers are recycled, not when one is killed", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({
      store: store.url,
      workers: 2,
      env: { KATO_MAX_REQUESTS: "20" },
    });

    const totals: number[] = [];
    for (let round = 1; round <= 6; round++) {
      await observe(service, 10);
      totals.push((await scrape(service)).get(OBSERVED) ?? 0);
    }
    expect(totals).toEqual([10, 20, 30, 40, 50, 60]);
    await service.waitForLog("worker has served its share");
    await waitFor(() => service.workerPids().length === 2, { what: "the replaced workers to end" });
    expect((await scrape(service)).get(OBSERVED)).toBe(60);

    process.kill(service.workerPids()[0]!, "SIGKILL");
    await service.waitForLog("worker died");
    expect((await scrape(service)).get(OBSERVED)).toBe(60);
    await observe(service, 1);
    expect((await scrape(service)).get(OBSERVED)).toBe(61);
  });

  it("does not wait for a worker that is starting", async () => {
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
      workers: 2,
      env: { NODE_OPTIONS: preload },
    });
    await observe(service, 10);
    await scrape(service);
    await writeFile(gate, "");
    process.kill(service.workerPids()[0]!, "SIGKILL");
    await service.waitForLog("worker died");
    await waitFor(() => service.workerPids().length === 2, { what: "the next worker to start" });

    // The best of a few: on a busy machine the worker that serves may be slow itself.
    let leastMs = Infinity;
    for (let round = 0; round < 5 && leastMs >= 900; round += 1) {
      const start = performance.now();
      const metrics = await scrape(service);
      leastMs = Math.min(leastMs, performance.now() - start);
      expect(metrics.get(OBSERVED)).toBe(10);
    }

    expect(leastMs).toBeLessThan(900);
    await rm(gate);
  });
});

describe("monitor.stats", () => {
  it("adds up counters and latencies of all workers", async () => {
    await using store = await openTestStore("redis");
    await using service = await watchService({ store: store.url, workers: 2 });
    const sessionId = await observe(service, 40);
    await call(service.url, "session.observe", { input: { sessionId, strings: 7 } });
    await call(service.url, "session.get", { input: { sessionId: "none-such" } });
    await call(service.url, "session.delete", { input: { sessionId } });
    await call(service.url, "no.such.procedure");

    const stats = await waitFor(
      async () => {
        const found = await dataOf<StatsReport>(service.url, "monitor.stats");
        // The other worker's part comes with its next report.
        return found.counters.callsByProcedure["session.observe"] === 41 &&
          found.counters.callsByProcedure["unknown"] === 1 &&
          found.counters.sessionsDeleted === 1
          ? found
          : undefined;
      },
      { what: "all calls to be counted" },
    );

    expect(stats.counters).toMatchObject({
      observations: 40,
      sessionsCreated: 1,
      sessionsDeleted: 1,
      errors: 3,
      errorsByCode: { INVALID_INPUT: 1, SESSION_NOT_FOUND: 1, PROCEDURE_NOT_FOUND: 1 },
    });
    expect(stats.workers).toHaveLength(2);
    for (const figure of ["calls", "errors", "observations", "sessionsCreated"] as const) {
      const sum = stats.workers.reduce((all, { counters }) => all + counters[figure], 0);
      expect(stats.counters[figure]).toBe(sum);
    }
    const { count, meanMs, p50Ms, p90Ms, p99Ms, maxMs } = stats.latency;
    expect(count).toBe(stats.counters.calls);
    expect(count).toBe(stats.workers.reduce((all, { latency }) => all + latency.count, 0));
    expect(maxMs).toBe(Math.max(...stats.workers.map(({ latency }) => latency.maxMs)));
    expect([p50Ms, p90Ms, p99Ms, maxMs].toSorted((a, b) => a - b)).toEqual([
      p50Ms,
      p90Ms,
      p99Ms,
      maxMs,
    ]);
    expect(p50Ms).toBeGreaterThan(0);
    expect(meanMs).toBeGreaterThan(0);
    expect(meanMs).toBeLessThanOrEqual(maxMs);
  });
});

describe("long-term memory's figures", () => {
  it("count what was learned and predicted, repeats left out, and the replica that predicts", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 2 });
    const { url } = service;
    const sessionId = await observe(service, 2);
    const before = await scrape(service);
    const learn = { sessionId, requestId: "once" };
    await dataOf(url, "session.learn", { input: learn });
    await dataOf(url, "session.learn", { input: learn });
    const config = { maxPatternLength: 2 };
    await dataOf(url, "session.configure", { input: { sessionId, config } });
    for (let i = 0; i < 2; i++) {
      await dataOf(url, "session.observe", { input: { sessionId, strings: ["b"] } });
    }
    await dataOf(url, "session.predict", { input: { sessionId: await observe(service, 1) } });

    const after = await scrape(service);
    const stats = await waitFor(
      async () => {
        const found = await dataOf<StatsReport>(url, "monitor.stats");
        // The other worker's part comes with its next report.
        const { callsByProcedure: calls, observations } = found.counters;
        const isWhole = calls["session.learn"] === 2 && calls["session.predict"] === 1;
        return isWhole && observations === 5 ? found : undefined;
      },
      { what: "all calls to be counted" },
    );

    expect(before.get("kato_replica_nodes")).toBe(0);
    expect(before.get("kato_replica_bytes")).toBe(0);
    expect(after.get("kato_learns_total")).toBe(2);
    expect(after.get("kato_predictions_total")).toBe(1);
    expect(after.get("kato_replica_nodes")).toBe(1);
    expect(after.get("kato_replica_bytes")).toBeGreaterThan(0);
    expect(stats.counters).toMatchObject({ learns: 2, predictions: 1 });
  });
});

/** Observes so many times on a new session, each on a connection of its own; gives the session. */
async function observe({ url }: WatchedService, count: number): Promise<string> {
  const sessionId = await createSession(url);
  for (let i = 0; i < count; i++) {
    await dataOf(url, "session.observe", { input: { sessionId, strings: ["a"] } });
  }
  return sessionId;
}

async function scrape({ url }: WatchedService): Promise<ReturnType<typeof readExposition>> {
  const { status, text } = await send(`${url}/metrics`);
  expect(status).toBe(200);
  return readExposition(text);
}
