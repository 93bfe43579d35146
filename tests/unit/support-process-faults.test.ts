import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { FaultTally } from "../support/faults/fault-tally.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { freezeProcess } from "../support/faults/frozen-process.ts";
import { crashRedis, freezeRedis } from "../support/faults/redis-faults.ts";
import { repeatFault } from "../support/faults/repeat-fault.ts";
import { setup, teardown } from "../support/global-setup.ts";
import { createSession, send } from "../support/http-calls.ts";
import { findProcessStatus } from "../support/process-status.ts";
import { startProcess } from "../support/processes.ts";
import { startRedis } from "../support/redis-server.ts";
import { RUN_DIRECTORY_VARIABLE } from "../support/run-directory.ts";
import { openTestStore } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";

describe("a service under faults", () => {
  test("is whole again after one worker, and after all of them were killed", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await startFaultyService({ store: store.url, workers: 3, seed: 1 });
    const before = service.running.workerPids();

    const killed = await service.killWorker();
    await waitFor(() => !service.running.workerPids().includes(killed), { what: "its end" });
    await service.untilWhole();
    const between = service.running.workerPids();
    const allKilled = await service.killAllWorkers();
    await waitFor(() => service.running.log().length >= 5, { what: "four deaths in the log" });
    await service.untilWhole();
    const after = service.running.workerPids();

    expect(before).toContain(killed);
    expect(between.filter((pid) => before.includes(pid))).toHaveLength(2);
    expect(allKilled).toEqual(between);
    expect(after.filter((pid) => between.includes(pid))).toEqual([]);
    expect(service.tally.rows()).toEqual([
      ["worker killed", 1],
      ["all workers killed", 1],
    ]);
  });

  test.each(["killPrimary", "killAll"] as const)(
    "leaves no process after %s, and serves on its port when it is started again",
    async (kill) => {
      await using store = await openTestStore("sqlite");
      await using service = await startFaultyService({ store: store.url, workers: 2, seed: 1 });
      const pids = [service.running.process.pid, ...service.running.workerPids()];
      await service.freezeWorker();

      await service[kill]();
      // A process that ends has lost its environment, by which it is found, before it is a zombie.
      await waitFor(() => pids.every((pid) => findProcessStatus(pid) === undefined), {
        what: "every process of the service to be gone",
      });
      await service.restart();
      await createSession(service.url);

      expect(service.running.url).toBe(service.url);
    },
  );

  test("freezes a worker until it is resumed, at the latest to end in order", async () => {
    await using store = await openTestStore("sqlite");
    const service = await startFaultyService({ store: store.url, workers: 1, seed: 1 });
    let isAnswered = false;

    const first = await service.freezeWorker();
    const reply = send(`${service.url}/ready`).finally(() => (isAnswered = true));
    // Time in which it would have answered.
    await delay(100);
    const [isPaused, wasAnswered] = [findProcessStatus(first.pid)?.isPaused, isAnswered];
    first.resume();
    const { status } = await reply;
    await service.freezeWorker();
    await service[Symbol.asyncDispose]();

    expect([isPaused, wasAnswered, status]).toEqual([true, false, 200]);
    expect(await service.running.process.exited).toEqual({ code: 0, signal: null });
    expect(findProcessStatus(first.pid)).toBeUndefined();
  });
});

describe("a process that a test froze and forgot", () => {
  const outerDirectory = process.env[RUN_DIRECTORY_VARIABLE];
  afterEach(() => {
    process.env[RUN_DIRECTORY_VARIABLE] = outerDirectory;
  });

  test("is found and killed at the end of the run", async () => {
    // The child must hold none of its parent's streams when it is frozen, or the parent's output never ends: `spawn`
    // returns once the child runs with streams of its own.
    const script = `console.log(child_process.spawn("sleep", ["60"], { stdio: "ignore" }).pid)`;
    const parent = await startProcess({ command: process.execPath, args: ["-e", script] });
    const [, pid] = await parent.waitForLine(/^(\d+)$/);
    await setup();
    await freezeProcess(Number(pid));
    await parent.stop();

    await expect(teardown()).rejects.toThrow(`frozen process ${pid}`);

    expect(findProcessStatus(Number(pid))).toBeUndefined();
  });
});

describe("a Redis under faults", () => {
  test("keeps its port and its data through a crash, and is silent while it is frozen", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    const tally = new FaultTally();
    const { pid, port } = redis;
    await redis.client().set("key", "value");

    await crashRedis(redis, tally);
    const value = await redis.client().get("key");
    const startedAt = performance.now();
    const frozen = freezeRedis(redis, 300, tally);
    await waitFor(() => tally.of("Redis frozen") === 1, { what: "the freeze" });
    const late = await redis.client().get("key");

    expect([value, late]).toEqual(["value", "value"]);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(299);
    await frozen;
    expect(redis.pid).not.toBe(pid);
    expect(redis.port).toBe(port);
    expect(tally.rows()).toEqual([
      ["Redis killed", 1],
      ["Redis frozen", 1],
    ]);
  });
});

test("a fault is repeated until the end, and the one under way is finished", async () => {
  const end = new AbortController();
  let finished = 0;

  const count = await repeatFault(
    async () => {
      if (finished === 2) end.abort();
      await delay(1);
      finished += 1;
    },
    { everyMs: 1, signal: end.signal },
  );

  expect([count, finished]).toEqual([3, 3]);
});
