import { expect, test } from "vitest";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { startReplicatedRedis } from "../support/redis-replica.ts";
import { startRedis } from "../support/redis-server.ts";
import { openTestStore } from "../support/service.ts";
import { loadUnderFaults } from "./load-under-faults.ts";

const WORKERS = 2;
const SESSIONS = 20;

type Store = AsyncDisposable & { url: string };

async function openReplicated(): Promise<Store> {
  const redis = await startReplicatedRedis();
  const { url } = redis.master.server;
  return { url, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() };
}

/** What the other suites leave of the README's table: they kill workers on Redis with `always`, and on SQLite with `fast`. */
const STORES: [name: string, durability: string, open: () => Promise<Store>][] = [
  ["Redis, everysec", "fast", () => startRedis({ appendOnly: "everysec" })],
  ["Redis with a replica", "replicated:1", openReplicated],
  ["SQLite", "fsync", () => openTestStore("sqlite")],
];

for (const [name, durability, open] of STORES) {
  test(`${name} with ${durability} keeps everything when a worker is killed, and when the service is`, async ({
    task,
  }) => {
    const seed = chaosSeed();
    await using store = await open();
    await using service = await startFaultyService({
      store: store.url,
      workers: WORKERS,
      seed,
      env: { KATO_DURABILITY: durability },
    });
    const { tally } = service;

    await loadUnderFaults({
      task,
      name: `${name}, ${durability}, service killed`,
      seed,
      url: service.url,
      sessions: SESSIONS,
      nodes: 3,
      tally,
      async disturb(load) {
        await load.untilAcknowledged(3 * SESSIONS);
        await service.killWorker();
        await load.untilAcknowledged(3 * SESSIONS);
        await service.killAll();
        await service.restart();
        await load.untilAcknowledged(SESSIONS);
      },
      settle: () => service.restart(),
    });

    expect([tally.of("worker killed"), tally.of("service killed")]).toEqual([1, 1]);
  });
}
