import { expect, test } from "vitest";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import { drawWhole } from "../support/faults/draw.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { randomFrom } from "../support/random.ts";
import { startRedisSentinel } from "../support/redis-sentinel.ts";
import { observeUnderFaults } from "./observe-under-faults.ts";

const WORKERS = 4;

export type SentinelFaults = { sessions: number; failovers: number; env?: Record<string, string> };

export function describeSentinelFailovers(size: SentinelFaults): void {
  const { sessions, failovers, env = {} } = size;
  test(`Redis with Sentinel keeps all that was acknowledged, once and in order, while ${failovers} masters are replaced`, async () => {
    const seed = chaosSeed();
    const random = randomFrom(seed);
    await using group = await startRedisSentinel({
      replicas: 2,
      sentinels: 3,
      downAfterMs: 1_000,
      appendOnly: "always",
    });
    const options = { store: group.url, workers: WORKERS, seed, env };
    await using service = await startFaultyService(options);
    const { tally, url } = service;

    const retries = await observeUnderFaults({
      name: "Redis with Sentinel, masters replaced",
      seed,
      url,
      sessions,
      tally,
      async disturb(load) {
        const untilBusy = () => load.untilAcknowledged(drawWhole(random, sessions, 4 * sessions));
        for (let failover = 0; failover < failovers; failover += 1) {
          await untilBusy();
          const { killed } = await group.replaceMaster();
          tally.add("master replaced");
          await untilBusy();
          await group.rejoin(killed);
          await group.untilReplicated();
        }
      },
    });

    expect(retries).toBeGreaterThan(0);
    expect(tally.of("master replaced")).toBe(failovers);
  });
}
