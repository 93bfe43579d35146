import { expect, test } from "vitest";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import { openFaultProxy } from "../support/faults/fault-proxy.ts";
import { drawFaultScript, playFaultScript } from "../support/faults/fault-script.ts";
import { FaultTally } from "../support/faults/fault-tally.ts";
import { startRedis } from "../support/redis-server.ts";
import { startService } from "../support/service.ts";
import { observeUnderFaults } from "./observe-under-faults.ts";

const WORKERS = 4;

export function describeNetworkFaults(size: { sessions: number; seconds: number }): void {
  const { sessions, seconds } = size;
  test(`Redis keeps all that was acknowledged, once and in order, through ${seconds} s of a bad network on both sides of the service`, async () => {
    const seed = chaosSeed();
    const tally = new FaultTally();
    await using redis = await startRedis({ appendOnly: "always" });
    await using toStore = await openFaultProxy({ port: redis.port, seed, tally });
    await using service = await startService({
      store: `redis://127.0.0.1:${toStore.port}`,
      workers: WORKERS,
    });
    const servicePort = Number(new URL(service.url).port);
    await using toService = await openFaultProxy({ port: servicePort, seed, tally });
    const options = { durationMs: seconds * 500, everyMs: 150, longestMs: 400 };
    // The second half: cuts between commit and reply matter most, so there are some in any case.
    const cuts = { kinds: ["cut reply", "reset"] as const, ...options };

    const retries = await observeUnderFaults({
      name: "Redis, bad network",
      seed,
      url: `http://127.0.0.1:${toService.port}`,
      sessions,
      tally,
      async disturb() {
        await Promise.all([
          playFaultScript(toStore, drawFaultScript(seed, options)),
          playFaultScript(toService, drawFaultScript(seed + 1, options)),
        ]);
        await Promise.all([
          playFaultScript(toStore, drawFaultScript(seed + 2, cuts)),
          playFaultScript(toService, drawFaultScript(seed + 3, cuts)),
        ]);
      },
    });

    expect(retries).toBeGreaterThan(0);
  });
}
