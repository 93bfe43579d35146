import { expect, test } from "vitest";
import { nodeTag } from "../../server/stores/session-id.ts";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import { drawOne, drawWhole } from "../support/faults/draw.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { randomFrom } from "../support/random.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { loadUnderFaults, NODE_PREFIX } from "./load-under-faults.ts";

const WORKERS = 4;
/** Slots around the one that a node's sessions are in. */
const RANGE = 10;

export type ClusterFaults = {
  sessions: number;
  nodes: number;
  /** Ranges of slots that move. */
  moves: number;
  /** Masters that are killed, so that a replica takes over. */
  failovers: number;
  env?: Record<string, string>;
};

export function describeClusterFaults(size: ClusterFaults): void {
  const { sessions, nodes, moves, failovers, env = {} } = size;
  test(`Redis Cluster keeps everything that was acknowledged, once, in order and counted rightly, while ${moves} ranges of slots move and ${failovers} masters are replaced`, async ({
    task,
  }) => {
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

    await loadUnderFaults({
      task,
      name: "Redis Cluster, slots moved, masters replaced",
      seed,
      url,
      sessions,
      nodes,
      tally,
      async disturb(load) {
        const untilBusy = () => load.untilAcknowledged(drawWhole(random, sessions, 4 * sessions));
        const drawSlot = () => {
          const node = `${NODE_PREFIX}-${drawWhole(random, 0, nodes - 1)}`;
          return cluster.slotOf(`{${nodeTag(node)}}`);
        };
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
      settle: () => service.restart(),
    });

    expect(tally.of("slot moved")).toBeGreaterThan(0);
    expect(tally.of("master replaced")).toBe(failovers);
  });
}
