import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { call, createSession, dataOf } from "../support/http-calls.ts";
import { openHoldingProxy } from "../support/holding-proxy.ts";
import { writeWorkerPreload } from "../support/preload.ts";
import { startRedis } from "../support/redis-server.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import type { WatchedService } from "../support/watched-service.ts";
import { watchService } from "../support/watched-service.ts";

const HOUR_MS = 3_600_000;

/**
 * What these tests prove: nothing in a worker's JavaScript that asks for the time of day decides about order or expiry.
 * The clocks of the stores stay right, as is that of SQLite, which lives in the worker's process but asks the system
 * itself: all processes of a machine share the clock of that, so on SQLite no worker can be off alone.
 *
 * Each SIGUSR2 sets the worker's time of day to another hour: ahead, then behind, then right again.
 */
const STEPPING_CLOCK = `
const now = Date.now;
const steps = [${HOUR_MS}, ${-HOUR_MS}, 0];
let offset = 0;
Date.now = () => now() + offset;
process.on("SIGUSR2", () => {
  offset = steps.shift() ?? 0;
  console.log(JSON.stringify({ level: "info", msg: "the clock is off by " + offset + " ms" }));
});
`;

type Observed = { time: number; stmLength: number };
type Life = { sessionId: string; expiresAt: string };

describe.each(STORE_KINDS)("a worker whose clock is set wrong by an hour, on %s", (kind) => {
  it("keeps the order of calls, and ends and prolongs sessions as the others do", async () => {
    await using directory = await makeTemporaryDirectory();
    await using store = await openTestStore(kind);
    await using right = await watchService({ store: store.url });
    await using wrong = await watchService({
      store: store.url,
      env: { NODE_OPTIONS: await writeWorkerPreload(directory.path, STEPPING_CLOCK) },
    });
    const idle = await Promise.all(Array.from({ length: 8 }, () => createSession(right.url)));
    const shared = await createSession(right.url);
    const observing = [startObserving(right, shared), startObserving(wrong, shared)];

    for (const offset of [HOUR_MS, -HOUR_MS, 0]) {
      const before = observing.map(({ acknowledged }) => acknowledged.length);
      process.kill(wrong.workerPids()[0]!, "SIGUSR2");
      await wrong.waitForLog(`the clock is off by ${offset} ms`);

      // Clears away some of what has expired, by whose clock ever.
      const own = await createBriefSessions(wrong);
      const earliest = Date.now() + HOUR_MS;
      const prolonged = await Promise.all(own.map((id) => extend(wrong, id)));
      for (const expiresAt of prolonged) {
        expect(expiresAt).toBeGreaterThanOrEqual(earliest);
        expect(expiresAt).toBeLessThanOrEqual(Date.now() + HOUR_MS);
      }
      for (const service of [right, wrong]) {
        expect(await livesOf(service, idle)).toEqual(idle.map(() => true));
        const { active } = await dataOf<{ active: number }>(service.url, "session.count");
        expect(active).toBeGreaterThan(idle.length);
      }
      await waitFor(
        () => observing.every(({ acknowledged }, i) => acknowledged.length > before[i]! + 5),
        { what: "both workers to observe on" },
      );
    }
    const acknowledged = (await Promise.all(observing.map(({ stop }) => stop()))).flat();

    const { stm, time } = await dataOf<{ stm: string[][]; time: number }>(
      right.url,
      "session.stm",
      { input: { sessionId: shared } },
    );
    const inOrder = acknowledged.toSorted((a, b) => a.time - b.time);
    expect(inOrder.map((observed) => observed.time)).toEqual(inOrder.map((_, i) => i + 1));
    expect(time).toBe(inOrder.length);
    // As many as a session keeps.
    expect(inOrder.slice(-stm.length).map(({ symbol }) => [symbol])).toEqual(stm);
  });

  it("does not let a session live on that has expired", async () => {
    await using directory = await makeTemporaryDirectory();
    await using store = await openTestStore(kind);
    await using service = await watchService({
      store: store.url,
      env: {
        NODE_OPTIONS: await writeWorkerPreload(
          directory.path,
          `const now = Date.now; Date.now = () => now() - ${HOUR_MS};`,
        ),
      },
    });
    const created = await dataOf<Life>(service.url, "session.create", {
      input: { nodeId: "node", ttlSeconds: 1 },
    });

    await waitFor(async () => (await find(service, created.sessionId)).expired, {
      what: "the session to expire",
    });

    expect(Date.parse(created.expiresAt)).toBeLessThan(Date.now());
    const late = await call(service.url, "session.observe", {
      input: { sessionId: created.sessionId, strings: ["late"] },
    });
    expect(late.error?.kato).toBe("SESSION_EXPIRED");
  });
});

describe("calls that wait while their worker's clock is set", () => {
  it("are answered as if it had not been", async () => {
    await using directory = await makeTemporaryDirectory();
    await using redis = await startRedis();
    await using proxy = await openHoldingProxy(redis);
    await using service = await watchService({
      store: `redis://127.0.0.1:${proxy.port}`,
      env: { NODE_OPTIONS: await writeWorkerPreload(directory.path, STEPPING_CLOCK) },
    });
    const sessionId = await createSession(service.url);
    const observe = (symbol: string) =>
      dataOf<Observed>(service.url, "session.observe", { input: { sessionId, strings: [symbol] } });

    proxy.hold();
    const first = observe("first");
    await waitFor(() => proxy.held() > 0, { what: "the first call to be on its way to Redis" });
    const second = observe("second");
    await waitFor(async () => (await runningCalls(service)) === 2, { what: "the second to wait" });
    process.kill(service.workerPids()[0]!, "SIGUSR2");
    await service.waitForLog("the clock is off by");
    proxy.release();

    expect(await first).toMatchObject({ time: 1 });
    expect(await second).toMatchObject({ time: 2 });
  });
});

/** Besides the one that asks. */
async function runningCalls({ url }: WatchedService): Promise<number> {
  const { current } = await dataOf<{ current: { concurrentRequests: number } }>(
    url,
    "monitor.concurrency",
    { input: { scope: "worker" } },
  );
  return current.concurrentRequests - 1;
}

/** Observes in several calls at once, each of which must be acknowledged, whatever the clock does meanwhile. */
function startObserving(service: WatchedService, sessionId: string) {
  const acknowledged: { symbol: string; time: number }[] = [];
  const end = new AbortController();
  const run = async () => {
    while (!end.signal.aborted) {
      const symbol = randomUUID();
      const { time } = await dataOf<Observed>(service.url, "session.observe", {
        input: { sessionId, strings: [symbol] },
      });
      acknowledged.push({ symbol, time });
    }
  };
  // Several, so that some wait for their turn whenever the clock is set.
  const done = Promise.all([run(), run(), run(), run()]);
  const stop = async () => {
    end.abort();
    await done;
    return acknowledged;
  };
  return { acknowledged, stop };
}

/** Sessions of ten minutes, which a clock that is off by an hour would take for expired. */
function createBriefSessions({ url }: WatchedService): Promise<string[]> {
  const create = async () => {
    const input = { nodeId: "node", ttlSeconds: 600 };
    return (await dataOf<Life>(url, "session.create", { input })).sessionId;
  };
  return Promise.all(Array.from({ length: 4 }, create));
}

async function extend({ url }: WatchedService, sessionId: string): Promise<number> {
  const input = { sessionId, ttlSeconds: HOUR_MS / 1_000 };
  const { expiresAt } = await dataOf<{ expiresAt: string }>(url, "session.extend", { input });
  return Date.parse(expiresAt);
}

function find({ url }: WatchedService, sessionId: string) {
  return dataOf<{ exists: boolean; expired: boolean }>(url, "session.exists", {
    input: { sessionId },
  });
}

function livesOf(service: WatchedService, sessionIds: readonly string[]): Promise<boolean[]> {
  return Promise.all(sessionIds.map(async (id) => (await find(service, id)).exists));
}
