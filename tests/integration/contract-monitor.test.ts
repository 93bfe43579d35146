import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConcurrencyReport, HealthReport, StatsReport } from "@kato-rpc/shared/monitor.ts";
import type { NodePage } from "@kato-rpc/shared/node.ts";
import { readExposition } from "../support/exposition.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { startTestApp } from "../support/test-app.ts";
import { batch, call, expectError, PROCEDURES, send, tryCall } from "../support/wire.ts";

const count = expect.toSatisfy((value) => Number.isSafeInteger(value) && (value as number) >= 0);
const amount = expect.toSatisfy((value) => Number.isFinite(value) && (value as number) >= 0);
const text = expect.stringMatching(/\S/);

const load = { concurrentRequests: count, utilizationPercent: count };
const workerLoad = {
  workerId: text,
  status: "healthy",
  current: { ...load, waiting: count },
  peak: load,
};
const latency = {
  count,
  meanMs: amount,
  p50Ms: amount,
  p90Ms: amount,
  p99Ms: amount,
  maxMs: amount,
};
const counters = {
  calls: count,
  errors: count,
  errorsByCode: expect.any(Object),
  callsByProcedure: expect.any(Object),
  observations: count,
  learns: count,
  predictions: count,
  sessionsCreated: count,
  sessionsDeleted: count,
  storeConflicts: count,
};

describe.each(STORE_KINDS)("node.* and monitor.* on %s", (kind) => {
  let url: string;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    ({ url } = stack.use(await startService({ store: store.url })));
  });
  afterAll(() => stack.disposeAsync());

  describe("node.list", () => {
    const NODES = ["", "A", "a", "b", "b ", "ä", "～", "😀"];

    beforeAll(async () => {
      expect(await call(url, "node.list")).toStrictEqual({ items: [], nextCursor: null });
      const twice = NODES.flatMap((nodeId) => (nodeId === "b" ? [nodeId, nodeId] : [nodeId]));
      await batch(
        url,
        "mutation",
        twice.map((nodeId) => ({ path: "session.create", input: { nodeId } })),
      );
    });

    it("gives every node with its live sessions, in the order of their UTF-8 bytes", async () => {
      const items = NODES.map((nodeId) => ({ nodeId, activeSessions: nodeId === "b" ? 2 : 1 }));

      expect(await call(url, "node.list")).toStrictEqual({ items, nextCursor: null });
      expect(await call(url, "node.list", {})).toStrictEqual({ items, nextCursor: null });
    });

    it("gives them in pages, each once", async () => {
      const pages: string[][] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const more = cursor === undefined ? {} : { cursor };
        const page = await call<NodePage>(url, "node.list", { limit: 3, ...more });
        pages.push(page.items.map(({ nodeId }) => nodeId));
        cursor = page.nextCursor;
      }

      expect(pages).toEqual([NODES.slice(0, 3), NODES.slice(3, 6), NODES.slice(6)]);
    });

    it("keeps a node whose sessions are gone", async () => {
      const { sessionId } = await call<{ sessionId: string }>(url, "session.create", {
        nodeId: "gone",
      });
      await call(url, "session.delete", { sessionId });

      const { items } = await call<NodePage>(url, "node.list");

      expect(items).toContainEqual({ nodeId: "gone", activeSessions: 0 });
    });

    it.each([{ cursor: "x" }, { cursor: "" }, { limit: 0 }, { limit: 1_001 }, { limit: 1.5 }])(
      "refuses %j",
      async (input) => {
        expectError(await tryCall(url, "node.list", input), "INVALID_INPUT");
      },
    );
  });

  describe("monitor.concurrency", () => {
    it.each([undefined, {}, { scope: "fleet" }, { scope: "worker" }])(
      "tells load, limits and configuration: %j",
      async (input) => {
        const report = await call<ConcurrencyReport>(url, "monitor.concurrency", input);

        expect(report).toStrictEqual({
          scope: input?.scope ?? "fleet",
          status: "healthy",
          current: { ...load, waiting: 0 },
          peak: load,
          limits: {
            perWorker: 100,
            warningThreshold: 80,
            criticalThreshold: 95,
            totalCapacity: 100,
            queueLimit: 2_048,
          },
          configuration: { workers: 1, backlog: 2_048, maxRequests: "unlimited" },
          recommendations: [{ level: "info", message: text }],
          timestamp: expect.any(Date),
          workers: [workerLoad],
        });
        // The call itself runs.
        expect(report.current.concurrentRequests).toBeGreaterThanOrEqual(1);
      },
    );

    it("counts calls, not requests: a batch of 50 is 50", async () => {
      const path = "monitor.concurrency";
      await batch(
        url,
        "query",
        Array.from({ length: 50 }, () => ({ path })),
      );

      const { peak, workers } = await call<ConcurrencyReport>(url, path, { scope: "worker" });

      expect(peak.concurrentRequests).toBeGreaterThanOrEqual(50);
      expect(workers[0]?.peak).toStrictEqual(peak);
      expect(peak.utilizationPercent).toBe(peak.concurrentRequests);
    });

    it.each([{ scope: "all" }, { scope: null }, { workers: 1 }, "fleet"])(
      "refuses %j",
      async (input) => {
        expectError(await tryCall(url, "monitor.concurrency", input), "INVALID_INPUT");
      },
    );
  });

  it("monitor.health tells the state of service and store", async () => {
    const health = await call<HealthReport>(url, "monitor.health");

    expect(health).toStrictEqual({
      status: expect.stringMatching(/^(healthy|degraded)$/),
      issues: expect.any(Array),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      uptimeSeconds: count,
      store: { kind, reachable: true, latencyMs: amount },
      durability: { setting: "fast", window: text },
      activeSessions: count,
      timestamp: expect.any(Date),
      workers: [
        {
          workerId: text,
          pid: count,
          uptimeSeconds: count,
          draining: false,
          memoryBytes: count,
          eventLoopDelayMs: amount,
        },
      ],
    });
  });

  it("monitor.stats tells counters and latencies", async () => {
    const before = await call<StatsReport>(url, "monitor.stats");
    const { sessionId } = await call<{ sessionId: string }>(url, "session.create", {
      nodeId: "stats",
    });
    await call(url, "session.observe", { sessionId, strings: ["a"] });
    await call(url, "session.observeSequence", { sessionId, observations: [{}, {}] });
    await tryCall(url, "session.observe", { sessionId, strings: 1 });
    await send(url, { path: "/trpc/no.such" });
    await call(url, "session.delete", { sessionId });
    const after = await call<StatsReport>(url, "monitor.stats");

    expect(after).toStrictEqual({
      counters,
      latency,
      timestamp: expect.any(Date),
      workers: [{ workerId: text, counters, latency }],
    });
    const grown = (
      name: "observations" | "sessionsCreated" | "sessionsDeleted" | "errors" | "calls",
    ) => after.counters[name] - before.counters[name];
    expect(grown("observations")).toBe(3);
    expect(grown("sessionsCreated")).toBe(1);
    expect(grown("sessionsDeleted")).toBe(1);
    expect(grown("errors")).toBe(2);
    // The six above, and the first call of stats itself.
    expect(grown("calls")).toBe(7);
    expect(after.counters.errorsByCode).toMatchObject({
      INVALID_INPUT: count,
      PROCEDURE_NOT_FOUND: count,
    });
    expect(after.counters.callsByProcedure).toMatchObject({
      "session.observe": count,
      unknown: count,
    });
    expect(after.latency.count).toBe(after.counters.calls);
  });
});

describe("the plain HTTP endpoints", () => {
  it("GET /health tells that the process is alive", async () => {
    await using app = await startTestApp();

    expect(await send(app.url, { path: "/health" })).toMatchObject({
      status: 200,
      body: { status: "alive", version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    });
  });

  it("GET /ready tells whether calls would be served", async () => {
    let isReachable = true;
    await using app = await startTestApp({
      overrides: (store) => ({
        ping: () => (isReachable ? store.ping() : Promise.reject(new Error("secret address"))),
      }),
    });
    const ready = () => send(app.url, { path: "/ready" });

    expect(await ready()).toMatchObject({ status: 200, body: { ready: true } });

    isReachable = false;
    const unreachable = await ready();
    expect(unreachable).toMatchObject({
      status: 503,
      body: { ready: false, reason: "the store cannot be reached" },
    });
    expect(JSON.stringify(unreachable)).not.toContain("secret");

    isReachable = true;
    expect(await ready()).toMatchObject({ status: 200 });

    app.serving.state = "draining";
    expect(await ready()).toMatchObject({
      status: 503,
      body: { ready: false, reason: "draining" },
    });
    expect(await send(app.url, { path: "/health" })).toMatchObject({ status: 200 });
    expectError(await tryCall(app.url, "session.count"), "SHUTTING_DOWN");
  });

  it("GET /metrics is Prometheus text of every call, with bounded labels", async () => {
    await using app = await startTestApp();
    const { sessionId } = await call<{ sessionId: string }>(app.url, "session.create", {
      nodeId: "n",
    });
    await call(app.url, "session.observe", { sessionId, strings: ["a"] });
    for (let i = 0; i < 50; i++) await send(app.url, { path: `/trpc/unknown.procedure-${i}` });
    await send(app.url, { path: "/nothing" });

    const { status, headers, body } = await send(app.url, { path: "/metrics" });

    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    const samples = readExposition(String(body));
    const calls = (labels: string) => samples.get(`kato_calls_total{${labels}}`);
    expect(calls('procedure="session.observe",outcome="ok"')).toBe(1);
    expect(calls('procedure="unknown",outcome="PROCEDURE_NOT_FOUND"')).toBe(51);
    expect(samples.get("kato_observations_total")).toBe(1);
    expect(samples.get('kato_call_duration_seconds_count{procedure="session.observe"}')).toBe(1);
    const procedures = [...samples.keys()].flatMap(
      (key) => /procedure="([^"]*)"/.exec(key)?.[1] ?? [],
    );
    const known = new Set<string>([...Object.keys(PROCEDURES), "unknown"]);
    expect(procedures.filter((procedure) => !known.has(procedure))).toEqual([]);
    expect(String(body)).not.toContain(sessionId);
  });

  it("GET /metrics escapes what stands in a label", async () => {
    await using app = await startTestApp();
    const odd = 'back\\slash "quoted"\nnext line';
    app.app.metrics.record({ procedure: odd, outcome: "ok", durationMs: 1 });

    const { body } = await send(app.url, { path: "/metrics" });

    const escaped = 'back\\\\slash \\"quoted\\"\\nnext line';
    const samples = readExposition(String(body));
    expect(samples.get(`kato_calls_total{procedure="${escaped}",outcome="ok"}`)).toBe(1);
  });
});
