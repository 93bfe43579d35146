import { describe, expect, it } from "vitest";
import type { IncidentResult } from "../../server/cli/incident/run-incident.ts";
import { query } from "../support/clients/fetch-client.ts";
import { openFaultProxy } from "../support/faults/fault-proxy.ts";
import { runKato } from "../support/kato.ts";
import { startMeddlingProxy } from "../support/meddling-proxy.ts";
import { startRedis } from "../support/redis-server.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";

type Report = { ok: boolean; results: IncidentResult[] };

const WHOLE = { ok: true, exactStm: true, exactTimes: true, errors: {} };

describe.each(STORE_KINDS)("kato incident on %s", (kind) => {
  it.each([1, 2])(
    "finds all of 50 and all of 200 kept by a cold server of %i workers",
    async (workers) => {
      await using store = await openTestStore(kind);

      const args = ["incident", "--store", store.url, "--workers", String(workers), "--json"];
      const { code, stdout } = await runKato(args);

      const { ok, results } = JSON.parse(stdout) as Report;
      expect(results).toMatchObject([
        { case: "10 × 5", through: "sdk", calls: 50, answered: 50, kept: 50, ...WHOLE },
        { case: "10 × 5", through: "fetch", calls: 50, answered: 50, kept: 50, ...WHOLE },
        { case: "1 × 200", through: "sdk", calls: 200, answered: 200, kept: 200, ...WHOLE },
        { case: "1 × 200", through: "fetch", calls: 200, answered: 200, kept: 200, ...WHOLE },
      ]);
      expect({ ok, code }).toEqual({ ok: true, code: 0 });
    },
  );
});

describe("kato incident", () => {
  it("prints a plain table of a running server and leaves no session there", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await startService({ store: store.url });

    const { code, stdout, stderr } = await runKato(["incident", "--url", service.url], {
      env: { FORCE_COLOR: "1" },
    });

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [header, ...rows] = stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(header).toEqual([
      "case",
      "through",
      "calls",
      "answered",
      "kept",
      "exact STM",
      "time 1…n",
      "ms",
      "errors",
    ]);
    expect(rows.pop()).toEqual(["every observation was kept, once and in order"]);
    expect(rows.map((row) => row.toSpliced(7, 1).join(" "))).toEqual([
      "10 × 5 sdk 50 50 50 yes yes none",
      "10 × 5 fetch 50 50 50 yes yes none",
      "1 × 200 sdk 200 200 200 yes yes none",
      "1 × 200 fetch 200 200 200 yes yes none",
    ]);
    expect(await query(service.url, "session.count", {})).toEqual({ active: 0 });
  });

  it("fails when observations are doubled on the way", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await startService({ store: store.url });
    await using proxy = await startMeddlingProxy(service.url, async ({ path }, forward) => {
      if (path === "/trpc/session.observe") await forward();
      return forward();
    });

    const { code, results } = await runIncident(proxy.url);

    expect(code).toBe(1);
    expect(results.filter(({ ok }) => !ok)).toMatchObject([
      {
        case: "10 × 5",
        through: "fetch",
        answered: 50,
        kept: 0,
        exactStm: false,
        exactTimes: false,
      },
      {
        case: "1 × 200",
        through: "fetch",
        answered: 200,
        kept: 0,
        exactStm: false,
        exactTimes: false,
      },
    ]);
  });

  it("fails when an observation is acknowledged and lost", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await startService({ store: store.url });
    await using proxy = await startMeddlingProxy(service.url, async ({ path }, forward) => {
      const answer = await forward();
      if (!path.startsWith("/trpc/session.stm")) return answer;
      return { ...answer, body: withoutEvent(answer.body, "s1-o3") };
    });

    const { code, results } = await runIncident(proxy.url);

    expect(code).toBe(1);
    expect(results).toMatchObject([
      { calls: 50, answered: 50, kept: 49, exactStm: false, exactTimes: true },
      { calls: 50, answered: 50, kept: 49, exactStm: false, exactTimes: true },
      { calls: 200, answered: 200, kept: 199, exactStm: false, exactTimes: true },
      { calls: 200, answered: 200, kept: 199, exactStm: false, exactTimes: true },
    ]);
  });

  it("counts the errors that calls are answered with, and fails", async () => {
    await using redis = await startRedis();
    await using proxy = await openFaultProxy({ port: redis.port });
    // However slowly a busy machine sends the calls, they come faster than they are served.
    proxy.set({ direction: "down", latencyMs: 5 });
    await using service = await startService({
      store: `redis://127.0.0.1:${proxy.port}`,
      env: { KATO_LIMIT_CONCURRENCY: "1", KATO_QUEUE_LIMIT: "20" },
    });

    const { code, results } = await runIncident(service.url);

    expect(code).toBe(1);
    expect(results[3]).toMatchObject({ ok: false, calls: 200 });
    expect(results[3]?.errors["OVERLOADED"]).toBe(200 - results[3]!.answered);
  });

  it("says in one line that no service answers at the address", async () => {
    const { code, stdout, stderr } = await runKato(["incident", "--url", "http://127.0.0.1:9"]);

    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^kato incident: .*127\.0\.0\.1:9[^\n]*$/);
  });
});

/** An answer to `session.stm`, an event taken out. */
function withoutEvent(body: string, symbol: string): string {
  const isOther = (item: unknown) => !(Array.isArray(item) && item[0] === symbol);
  const keep = (_key: string, value: unknown) =>
    Array.isArray(value) ? value.filter(isOther) : value;
  return JSON.stringify(JSON.parse(body, keep));
}

async function runIncident(url: string): Promise<Report & { code: number | null }> {
  const { code, stdout } = await runKato(["incident", "--url", url, "--json"]);
  return { code, ...(JSON.parse(stdout) as Report) };
}
