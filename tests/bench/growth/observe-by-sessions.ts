import { startRedis } from "../../support/redis-server.ts";
import { startService } from "../../support/service.ts";
import { formatCount, formatRatio } from "../measure.ts";
import { atMost, level, type Curve } from "./curve.ts";
import { mediansOf } from "../in-turns.ts";
import {
  COST_HEADER,
  costCells,
  costPanel,
  cpuOf,
  measureObserves,
  observeSteps,
  type ObserveCost,
  type ObserveTarget,
} from "./observe-cost.ts";
import { createSessions, openBenchStore } from "./stored-sessions.ts";

/** Of every size: commits of one node share script calls, which is not what is asked here. */
const NODES = 100;
const OBSERVED = 1_000;
const OBSERVES = 4_000;
const ROUNDS = 3;
const MOST_BYTES = 500;
const MOST_RATIO = 1.1;

export const observeBySessions: Curve = {
  name: "observe-by-sessions",
  title: "Observe by sessions in the store",
  about:
    `A Redis and a server for each size, all up at once and measured by turns; five times with new servers, whose medians ` +
    `these are medians of. Sessions are idle (empty short-term ` +
    `memory, default settings), on ${NODES} nodes at every size; ${formatCount(OBSERVED)} of them, chosen at ` +
    `random over all, are observed one after another, and the same number of times at every size.`,
  steps: (quick) => sizesOf(quick).length + turnsOf(quick) * observeSteps(ROUNDS),
  async measure({ quick, onStep }) {
    await using stack = new AsyncDisposableStack();
    const sizes = sizesOf(quick);
    const stores: Omit<ObserveTarget, "service">[] = [];
    const bytes: number[] = [];
    for (const count of sizes) {
      const redis = stack.use(await startRedis());
      const store = await openBenchStore(redis.url);
      try {
        const client = redis.client();
        const nodeOf = (index: number) => `node-${index % NODES}`;
        // Loads the scripts, which are no session's memory.
        await createSessions(store, { count: 1, sample: 0, nodeOf: () => "first" });
        const before = await usedMemory(client);
        const sessionIds = await createSessions(store, { count, sample: OBSERVED, nodeOf });
        bytes.push(((await usedMemory(client)) - before) / count);
        stores.push({ redis, sessionIds });
      } finally {
        await store.close();
      }
      onStep();
    }
    const measured: ObserveCost[][] = [];
    for (let turn = 0; turn < turnsOf(quick); turn += 1) {
      measured.push(await observeAll(stores, onStep));
    }
    const costs = sizes.map((_, i) => mediansOf(measured.map((turn) => turn[i]!)));
    const least = cpuOf(costs[0]!);
    const ratios = costs.map((cost) => cpuOf(cost) / least);
    const throughputs = costs.map(({ perSecond }) => costs[0]!.perSecond / perSecond);
    const x = { title: "sessions in the store", scale: "log" } as const;
    const largest = formatCount(sizes.at(-1)!);
    return {
      header: ["sessions", "bytes/session", ...COST_HEADER, "CPU to first", "time to first"],
      rows: sizes.map((size, i) => [
        formatCount(size),
        Math.round(bytes[i]!),
        ...costCells(costs[i]!),
        formatRatio(ratios[i]!),
        formatRatio(throughputs[i]!),
      ]),
      panels: [
        costPanel(
          x,
          sizes.map((size, i) => ({ x: size, cost: costs[i]! })),
          least * MOST_RATIO,
        ),
        {
          x,
          y: { title: "bytes of Redis per idle session", scale: "linear" },
          points: sizes.map((size, i) => ({ series: "idle session", x: size, y: bytes[i]! })),
          goals: level("idle session", MOST_BYTES, sizes),
        },
      ],
      goals: [
        atMost(
          `observe at ${largest} sessions ≤ ${MOST_RATIO}× at 1,000, CPU of server and Redis`,
          {
            figure: ratios.at(-1)!,
            most: MOST_RATIO,
            digits: 2,
          },
        ),
        atMost(`observe at ${largest} sessions ≤ ${MOST_RATIO}× at 1,000, time for each`, {
          figure: throughputs.at(-1)!,
          most: MOST_RATIO,
          digits: 2,
        }),
        atMost(`bytes of an idle session ≤ ${MOST_BYTES}`, {
          figure: Math.max(...bytes),
          most: MOST_BYTES,
          digits: 0,
        }),
      ],
    };
  },
};

function sizesOf(quick: boolean): number[] {
  return quick ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000];
}

function turnsOf(quick: boolean): number {
  return quick ? 1 : 5;
}

/** By new servers, since one process is some percent faster than another for as long as it lives. */
async function observeAll(
  stores: readonly Omit<ObserveTarget, "service">[],
  onRound: () => void,
): Promise<ObserveCost[]> {
  await using stack = new AsyncDisposableStack();
  const targets: ObserveTarget[] = [];
  for (const { redis, sessionIds } of stores) {
    const service = stack.use(await startService({ store: redis.url }));
    targets.push({ service, redis, sessionIds });
  }
  return await measureObserves(targets, { rounds: ROUNDS, observes: OBSERVES, onRound });
}

async function usedMemory(client: { info(section: string): Promise<string> }): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]);
}
