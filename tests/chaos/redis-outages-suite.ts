import { expect, test } from "vitest";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import { drawWhole } from "../support/faults/draw.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { crashRedis, freezeRedis } from "../support/faults/redis-faults.ts";
import { randomFrom } from "../support/random.ts";
import { startRedis } from "../support/redis-server.ts";
import { observeUnderFaults } from "./observe-under-faults.ts";

const WORKERS = 4;

export type RedisOutages = { sessions: number; kills: number; freezes: number; freezeMs: number };

export function describeRedisOutages(size: RedisOutages): void {
  const { sessions, kills, freezes, freezeMs } = size;
  test(`Redis keeps all that was acknowledged, once and in order, through ${kills} × SIGKILL and ${freezes} × SIGSTOP to it, with workers killed`, async () => {
    const seed = chaosSeed();
    const random = randomFrom(seed);
    await using redis = await startRedis({ appendOnly: "always" });
    await using service = await startFaultyService({ store: redis.url, workers: WORKERS, seed });
    const { tally, url } = service;

    const retries = await observeUnderFaults({
      name: "Redis killed and frozen, workers killed",
      seed,
      url,
      sessions,
      tally,
      async disturb(load) {
        const untilBusy = () => load.untilAcknowledged(drawWhole(random, sessions, 4 * sessions));
        for (let outage = 1; outage <= kills + freezes; outage += 1) {
          await untilBusy();
          await service.killWorker();
          await untilBusy();
          if (outage <= kills) await crashRedis(redis, tally);
          else await freezeRedis(redis, freezeMs, tally);
        }
        await untilBusy();
        await service.untilWhole();
      },
    });

    expect(retries).toBeGreaterThan(0);
  });
}
