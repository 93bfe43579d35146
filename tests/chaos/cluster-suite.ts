import { expect, test } from "vitest";
import { nodeTag } from "../../server/stores/session-id.ts";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import { drawOne, drawWhole } from "../support/faults/draw.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { randomFrom } from "../support/random.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { nodeNames } from "./observe-load.ts";
import { observeUnderFaults } from "./observe-under-faults.ts";

const WORKERS = 4;
/** Slots around the one that a node's sessions are in. */
const RANGE = 10;

export type ClusterFaults = {
  sessions: number;
  /** Ranges of slots that move. */
  moves: number;
  /** Masters that are killed, so that a replica takes over. */
  failovers: number;
  env?: Record<string, string>;
};

export function describeClusterFaults(size: ClusterFaults): void {
  const { sessions, moves, failovers, env = {} } = size;
  test(`Redis Cluster keeps all that was acknowledged, once and in order, while ${moves} ranges of slots move and ${failovers} masters are replaced`, async () => {
    const seed = chaosSeed();
    const random = randomFrom(seed);
    await using cluster = await startRedisCluster({
      replicasPerMaster: failovers > 0 ? 1 : 0,
      appendOnly: "always",
      nodeTimeoutMs: 1_000,
    });
    const options = { store: cluster.url, workers: WORKERS, seed, env };
    await using service = await startFaultyService(options);
    const { tally, url } = service;

    await observeUnderFaults({
      name: "Redis Cluster, slots moved, masters replaced",
      seed,
      url,
      sessions,
      tally,
      async disturb(load) {
        const untilBusy = () => load.untilAcknowledged(drawWhole(random, sessions, 4 * sessions));
        const drawSlot = () => cluster.slotOf(`{${nodeTag(drawOne(random, nodeNames(sessions)))}}`);
        const faults = Array.from({ length: moves + failovers }, (_, i) => i < failovers);
        for (const isFailover of faults) {
          await untilBusy();
          const slot = await drawSlot();
          if (isFailover) {
            const { killed } = await cluster.replaceMaster(slot);
            tally.add("master replaced");
            await untilBusy();
            await killed.server.restart();
            await cluster.untilHealthy();
            continue;
          }
          const owner = await cluster.ownerOf(slot);
          const others = (await cluster.currentMasters()).filter(({ id }) => id !== owner.id);
          const range = [slot, Math.min(slot + RANGE, 16_383)] as const;
          const moved = await cluster.moveSlots(range, drawOne(random, others));
          for (let i = 0; i < moved; i += 1) tally.add("slot moved");
        }
        await untilBusy();
      },
    });

    expect(tally.of("slot moved")).toBeGreaterThan(0);
    expect(tally.of("master replaced")).toBe(failovers);
  });
}
