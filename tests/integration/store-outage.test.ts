import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { CallReply } from "../support/http-calls.ts";
import { call, createSession, dataOf, send } from "../support/http-calls.ts";
import { freePort } from "../support/free-port.ts";
import { startRedis } from "../support/redis-server.ts";
import { openTestStore } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, type WatchedService } from "../support/watched-service.ts";

const DEADLINE_MS = 1_500;
/** A deadline is kept to within a few ticks of its clock, and these machines are busy. */
const TOLERANCE_MS = 700;
const ENV = { KATO_DEADLINE_MS: String(DEADLINE_MS), KATO_SLOW_MS: "0" };

type Observed = { time: number; replayed: boolean };
type Client = { sessionId: string; acknowledged: string[]; refusals: CallReply<Observed>[] };

describe.each([1, 2])("a service of %i workers whose Redis is stopped", (workers) => {
  it("says STORE_UNAVAILABLE in time, never not found, and goes on when Redis is back", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using service = await watchService({ store: redis.url, workers, env: ENV });
    const pids = service.workerPids();
    const sessionId = await createSession(service.url);
    await observe(service, sessionId, "before");

    await redis.stop();
    const reads = ["session.get", "session.exists", "session.stm", "session.percept"];
    const paths = [...reads, "session.observe", "session.clearStm", "session.count", "node.list"];
    const replies = await Promise.all(
      paths.map((path) => timed(call(service.url, path, { input: inputOf(path, sessionId) }))),
    );
    const ready = await send(`${service.url}/ready`);
    await redis.restart();
    const back = await waitFor(
      async () => {
        const reply = await send(`${service.url}/ready`);
        return reply.status === 200 ? reply : undefined;
      },
      { what: "/ready to be 200 again" },
    );
    const after = await observe(service, sessionId, "after");

    for (const [i, { reply, tookMs }] of replies.entries()) {
      expect([paths[i], reply.status, reply.error?.kato]).toEqual([
        paths[i],
        503,
        "STORE_UNAVAILABLE",
      ]);
      expect(tookMs).toBeLessThan(DEADLINE_MS + TOLERANCE_MS);
    }
    expect(ready.status).toBe(503);
    expect(back.status).toBe(200);
    expect(after.data).toMatchObject({ time: 2, replayed: false });
    expect(await stmOf(service, sessionId)).toEqual([["before"], ["after"]]);
    expect(service.workerPids()).toEqual(pids);
  });

  it("keeps every acknowledged observation exactly once when callers repeat what failed", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using service = await watchService({ store: redis.url, workers, env: ENV });
    const clients = await startClients(service, 8);

    await untilBusy(clients.all, 5);
    await redis.stop();
    await waitFor(() => clients.all.every(({ refusals }) => refusals.length > 0), {
      what: "every client to be refused",
    });
    await redis.restart();
    await untilBusy(clients.all, 5);
    await clients.stop();

    await expectExactlyOnce(service, clients.all);
  });
});

describe("a service whose Redis is killed", () => {
  it("loses nothing that was acknowledged, and doubles nothing that was repeated", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using service = await watchService({ store: redis.url, workers: 2, env: ENV });
    const clients = await startClients(service, 8);

    for (let round = 0; round < 3; round++) {
      await untilBusy(clients.all, 5);
      await redis.kill();
      await redis.restart();
    }
    await untilBusy(clients.all, 5);
    await clients.stop();

    await expectExactlyOnce(service, clients.all);
  });
});

describe("a service whose Redis is frozen for 3 s", () => {
  it.each([
    ["longer than the deadline", DEADLINE_MS],
    ["shorter than the deadline", 20_000],
  ])("answers or refuses, never says not found, and goes on; that is %s", async (_, deadlineMs) => {
    await using redis = await startRedis();
    await using service = await watchService({
      store: redis.url,
      workers: 2,
      env: { ...ENV, KATO_DEADLINE_MS: String(deadlineMs) },
    });
    const clients = await startClients(service, 4);
    await untilBusy(clients.all, 5);

    await redis.pause();
    // The outage itself, not a wait for anything.
    await delay(3_000);
    await redis.resume();
    await untilBusy(clients.all, 5);
    await clients.stop();

    const refused = clients.all.flatMap(({ refusals }) => refusals);
    if (deadlineMs > 3_000) expect(refused).toEqual([]);
    else expect(refused.length).toBeGreaterThanOrEqual(4);
    await expectExactlyOnce(service, clients.all);
  });
});

describe("a service that starts while its Redis is down", () => {
  it("comes up, is not ready, and works when Redis appears", async () => {
    const port = await freePort();
    await using service = await watchService({
      store: `redis://127.0.0.1:${port}`,
      workers: 2,
      env: ENV,
    });

    const alive = await send(`${service.url}/health`);
    const ready = await send(`${service.url}/ready`);
    const refused = await call(service.url, "session.create", { input: { nodeId: "node" } });
    await using redis = await startRedis({ port });
    await waitFor(async () => (await send(`${service.url}/ready`)).status === 200, {
      what: "/ready to be 200",
    });
    const sessionId = await createSession(service.url);
    const observed = await observe(service, sessionId, "first");

    expect(alive.status).toBe(200);
    expect(ready.status).toBe(503);
    expect(refused.error?.kato).toBe("STORE_UNAVAILABLE");
    expect(redis.port).toBe(port);
    expect(observed.data?.time).toBe(1);
  });
});

describe("a service whose Redis refuses it", () => {
  it("says STORE_UNAVAILABLE, and the log says why", async () => {
    await using redis = await startRedis({ config: { requirepass: "right" } });
    await using service = await watchService({
      store: `redis://:wrong@127.0.0.1:${redis.port}`,
      env: ENV,
    });

    const { error } = await call(service.url, "session.create", { input: { nodeId: "node" } });

    expect(error?.kato).toBe("STORE_UNAVAILABLE");
    expect(await service.waitForLog("store connection")).toMatchObject({
      level: "warn",
      reason: expect.stringContaining("WRONGPASS"),
    });
  });
});

describe("a service whose SQLite file another process keeps locked", () => {
  it("says STORE_UNAVAILABLE in time, is not ready, and goes on when the file is free", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 2, env: ENV });
    const sessionId = await createSession(service.url);
    const holder = new DatabaseSync(store.url.slice("sqlite:".length));

    holder.exec("BEGIN IMMEDIATE");
    const [refused, read, ready] = await Promise.all([
      timed(observe(service, sessionId, "a", "once")),
      timed(call(service.url, "session.stm", { input: { sessionId } })),
      send(`${service.url}/ready`),
    ]);
    // The store's deadline began a moment after the call's. Until it has passed the call may still happen, and a repeat
    // waits behind it, to be refused with it.
    await delay(TOLERANCE_MS);
    holder.exec("ROLLBACK");
    holder.close();
    const repeated = await observe(service, sessionId, "a", "once");

    for (const { reply, tookMs } of [refused, read]) {
      expect(reply.error?.kato).toBe("STORE_UNAVAILABLE");
      expect(tookMs).toBeLessThan(DEADLINE_MS + TOLERANCE_MS);
    }
    expect(ready.status).toBe(503);
    // What was refused did not happen later.
    expect(repeated).toMatchObject({ data: { time: 1, replayed: false } });
    expect((await send(`${service.url}/ready`)).status).toBe(200);
  });
});

function inputOf(path: string, sessionId: string): unknown {
  if (path === "node.list" || path === "session.count") return undefined;
  return path === "session.observe" ? { sessionId, strings: ["a"] } : { sessionId };
}

function observe(
  { url }: WatchedService,
  sessionId: string,
  symbol: string,
  observationId: string = randomUUID(),
): Promise<CallReply<Observed>> {
  return call(url, "session.observe", { input: { sessionId, strings: [symbol], observationId } });
}

async function timed<T>(work: Promise<T>): Promise<{ reply: T; tookMs: number }> {
  const start = performance.now();
  const reply = await work;
  return { reply, tookMs: performance.now() - start };
}

async function stmOf({ url }: WatchedService, sessionId: string): Promise<string[][]> {
  const { stm } = await dataOf<{ stm: string[][] }>(url, "session.stm", { input: { sessionId } });
  return stm;
}

/** Clients that observe on a session of their own, each repeating a refused call with its id until it is done. */
async function startClients(service: WatchedService, count: number) {
  const all: Client[] = [];
  for (let i = 0; i < count; i++) {
    const sessionId = await createSession(service.url);
    all.push({ sessionId, acknowledged: [], refusals: [] });
  }
  const end = new AbortController();
  const run = async (client: Client) => {
    while (!end.signal.aborted) {
      const symbol = `s${client.acknowledged.length + 1}`;
      const id = randomUUID();
      for (let reply; reply?.data === undefined;) {
        reply = await observe(service, client.sessionId, symbol, id);
        if (reply.data === undefined) client.refusals.push(reply);
      }
      client.acknowledged.push(symbol);
    }
  };
  const done = Promise.all(all.map(run));
  const stop = async () => {
    end.abort();
    await done;
  };
  return { all, stop };
}

/** Waits until each client has had so many more observations acknowledged. */
async function untilBusy(clients: readonly Client[], more: number): Promise<void> {
  const wanted = clients.map(({ acknowledged }) => acknowledged.length + more);
  await waitFor(() => clients.every(({ acknowledged }, i) => acknowledged.length >= wanted[i]!), {
    what: "every client to be served",
  });
}

async function expectExactlyOnce(
  service: WatchedService,
  clients: readonly Client[],
): Promise<void> {
  const codes = clients.flatMap(({ refusals }) => refusals.map(({ error }) => error?.kato));
  expect(codes.filter((code) => code !== "STORE_UNAVAILABLE")).toEqual([]);
  for (const { sessionId, acknowledged } of clients) {
    expect(await stmOf(service, sessionId)).toEqual(acknowledged.map((symbol) => [symbol]));
  }
}
