import { Agent } from "node:http";
import { describe, expect, it } from "vitest";
import { call, createSession, dataOf } from "../support/http-calls.ts";
import { startRedis } from "../support/redis-server.ts";
import { openTestStore } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, type WatchedService } from "../support/watched-service.ts";

type Observed = { time: number };

describe("workers whose primary is killed", () => {
  it("end when they have nothing to do, whoever is still connected", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 2 });
    const agent = new Agent({ keepAlive: true });
    await Promise.all([1, 2].map(() => call(service.url, "monitor.health", { agent })));

    service.process.signal("SIGKILL");

    await untilAllEnded(service);
    agent.destroy();
  });

  it("end under load, once they have answered what they had taken on", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 2 });
    const sessionIds = await Promise.all([1, 2, 3, 4].map(() => createSession(service.url)));
    const clients = sessionIds.map((sessionId) => observeUntilTheEnd(service, sessionId));
    await waitFor(() => clients.every(({ times }) => times.length > 10), {
      what: "every client to be busy",
    });

    service.process.signal("SIGKILL");
    await untilAllEnded(service);
    await Promise.all(clients.map(({ done }) => done));

    await using successor = await watchService({ store: store.url });
    for (const [i, sessionId] of sessionIds.entries()) {
      const kept = await dataOf<Observed>(successor.url, "session.stm", { input: { sessionId } });
      expect(kept.time).toBe(clients[i]!.times.length);
    }
  });

  it("end though a call is stuck, when the time to shut down is over", async () => {
    await using redis = await startRedis();
    await using service = await watchService({
      store: redis.url,
      workers: 2,
      env: { KATO_DEADLINE_MS: "60000", KATO_SHUTDOWN_SECONDS: "1" },
    });
    const sessionId = await createSession(service.url);
    await redis.pause();
    const stuck = call(service.url, "session.observe", {
      input: { sessionId, strings: ["a"] },
    }).catch((error: unknown) => error);
    await waitFor(async () => (await runningCalls(service)) === 2, { what: "the call to run" });

    service.process.signal("SIGKILL");

    await untilAllEnded(service);
    expect(await stuck).toBeInstanceOf(Error);
    await redis.resume();
  });
});

function untilAllEnded(service: WatchedService): Promise<unknown> {
  return waitFor(() => service.process.hasExited && service.workerPids().length === 0, {
    what: "the primary to be gone and the workers to end",
  });
}

async function runningCalls({ url }: WatchedService): Promise<number> {
  const { current } = await dataOf<{ current: { concurrentRequests: number } }>(
    url,
    "monitor.concurrency",
    { input: { scope: "worker" } },
  );
  return current.concurrentRequests;
}

/** Observes one call after another on one connection, until a call is refused or the connection ends. */
function observeUntilTheEnd({ url }: WatchedService, sessionId: string) {
  const times: number[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const run = async () => {
    for (;;) {
      const reply = await call<Observed>(url, "session.observe", {
        input: { sessionId, strings: ["a"] },
        agent,
      }).catch(() => undefined);
      if (reply?.data === undefined) break;
      times.push(reply.data.time);
    }
    agent.destroy();
  };
  return { times, done: run() };
}
