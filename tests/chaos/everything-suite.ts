import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import type { Random } from "../support/faults/draw.ts";
import { drawWhole } from "../support/faults/draw.ts";
import { openFaultProxy } from "../support/faults/fault-proxy.ts";
import { drawFaultScript, playFaultScript } from "../support/faults/fault-script.ts";
import { FaultTally } from "../support/faults/fault-tally.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { crashRedis, freezeRedis } from "../support/faults/redis-faults.ts";
import { repeatFault } from "../support/faults/repeat-fault.ts";
import { randomFrom } from "../support/random.ts";
import { startRedis } from "../support/redis-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { loadUnderFaults } from "./load-under-faults.ts";
import { NETWORK_FAULTS } from "./network-faults.ts";

const WORKERS = 4;
/** For each session, before the faults and after them: on a busy machine most callers only wait meanwhile. */
const CALLS_WITHOUT_FAULTS = 10;

export type EverythingAtOnce = {
  sessions: number;
  nodes: number;
  seconds: number;
  killEveryMs: number;
  /** Of Redis. */
  crashes: number;
  freezes: number;
  freezeMs: number;
  /** `KATO_DURABILITY`; `fast` when left out. */
  durability?: string;
};

/** As long and as hard as `npm run test:chaos` has it. */
export const LONG: EverythingAtOnce = {
  sessions: 200,
  nodes: 20,
  seconds: 60,
  killEveryMs: 2_000,
  crashes: 5,
  freezes: 2,
  freezeMs: 5_000,
};

export function describeEverythingAtOnce(size: EverythingAtOnce): void {
  const { sessions, nodes, seconds, killEveryMs, crashes, freezes, freezeMs } = size;
  const { durability = "fast" } = size;
  test(`Redis keeps everything once, in order and counted rightly with ${durability} through ${seconds} s in which workers are killed, connections are cut, and Redis is killed ${crashes} × and frozen ${freezes} ×`, async ({
    task,
  }) => {
    const seed = chaosSeed();
    const random = randomFrom(seed);
    const tally = new FaultTally();
    const durationMs = seconds * 1_000;
    await using redis = await startRedis({ appendOnly: "always" });
    await using toStore = await openFaultProxy({ port: redis.port, seed, tally });
    const store = `redis://127.0.0.1:${toStore.port}`;
    const env = { KATO_DURABILITY: durability };
    const options = { store, workers: WORKERS, seed, tally, env };
    await using service = await startFaultyService(options);
    const servicePort = Number(new URL(service.url).port);
    await using toService = await openFaultProxy({ port: servicePort, seed, tally });
    const killing = new AbortController();

    const { retries } = await loadUnderFaults({
      task,
      name: `Redis, everything at once, ${durability}`,
      seed,
      url: `http://127.0.0.1:${toService.port}`,
      sessions,
      nodes,
      tally,
      async disturb(load) {
        await load.untilAcknowledged(CALLS_WITHOUT_FAULTS * sessions);
        // Between commit and reply, in any case.
        for (const proxy of [toStore, toService]) proxy.cutReplies({ afterBytes: 0, count: 3 });
        await waitFor(() => tally.of("cut reply") >= 6, { what: "replies to be cut" });
        const kills = repeatFault(() => service.killWorker(), {
          everyMs: killEveryMs,
          signal: killing.signal,
        });
        const outages = shuffle(random, [
          ...Array.from({ length: crashes }, () => () => crashRedis(redis, tally)),
          ...Array.from({ length: freezes }, () => () => freezeRedis(redis, freezeMs, tally)),
        ]);
        try {
          await Promise.all([
            spread(outages, { random, durationMs, longestMs: freezeMs }),
            playFaultScript(toStore, drawFaultScript(seed, { ...NETWORK_FAULTS, durationMs })),
            playFaultScript(
              toService,
              drawFaultScript(seed + 1, { ...NETWORK_FAULTS, durationMs }),
            ),
          ]);
        } finally {
          killing.abort();
          await kills;
        }
        await load.untilAcknowledged(CALLS_WITHOUT_FAULTS * sessions);
      },
      settle: () => service.restart(),
    });

    expect(retries).toBeGreaterThan(0);
    expect(tally.of("worker killed")).toBeGreaterThan(0);
    expect(tally.of("Redis killed")).toBe(crashes);
    expect(tally.of("Redis frozen")).toBe(freezes);
    expect(tally.of("cut reply")).toBeGreaterThan(0);
  });
}

/** One after another, each at a random moment of its share of the time. */
async function spread(
  faults: readonly (() => Promise<void>)[],
  { random, durationMs, longestMs }: { random: Random; durationMs: number; longestMs: number },
): Promise<void> {
  const startedAt = performance.now();
  const shareMs = durationMs / faults.length;
  for (const [i, inject] of faults.entries()) {
    const atMs = i * shareMs + random() * Math.max(0, shareMs - longestMs);
    await delay(Math.max(0, startedAt + atMs - performance.now()));
    await inject();
  }
  await delay(Math.max(0, startedAt + durationMs - performance.now()));
}

/** Fisher and Yates. */
function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i -= 1) {
    const j = drawWhole(random, 0, i);
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]; // both are indices of the list
  }
  return shuffled;
}
