import { startRedis } from "../../support/redis-server.ts";
import { startService } from "../../support/service.ts";
import { formatCount, formatRatio } from "../measure.ts";
import type { Curve } from "./curve.ts";
import {
  COST_HEADER,
  costCells,
  costPanel,
  cpuOf,
  measureObserves,
  observeSteps,
} from "./observe-cost.ts";
import { createSessions, openBenchStore } from "./stored-sessions.ts";

const OBSERVED = 1_000;
const OBSERVES = 4_000;

export const observeBySessionsPerNode: Curve = {
  name: "observe-by-sessions-per-node",
  title: "Observe by sessions on one node",
  about:
    `Redis, one server, one store that holds the nodes of all sizes. ${formatCount(OBSERVED)} sessions are observed at ` +
    `every size: of as many nodes as it takes where nodes are small, chosen at random where one has more.`,
  steps: (quick) => sizesOf(quick).length + observeSteps(roundsOf(quick)),
  async measure({ quick, onStep }) {
    await using redis = await startRedis();
    const sizes = sizesOf(quick);
    const groups: string[][] = [];
    const store = await openBenchStore(redis.url);
    try {
      for (const size of sizes) {
        const count = Math.max(size, OBSERVED);
        const nodeOf = (index: number) => `of-${size}-${Math.floor(index / size)}`;
        groups.push(await createSessions(store, { count, sample: OBSERVED, nodeOf }));
        onStep();
      }
    } finally {
      await store.close();
    }
    await using service = await startService({ store: redis.url });
    const rounds = roundsOf(quick);
    const targets = groups.map((sessionIds) => ({ service, redis, sessionIds }));
    const costs = await measureObserves(targets, { rounds, observes: OBSERVES, onRound: onStep });
    return {
      header: ["sessions/node", ...COST_HEADER, "CPU to first"],
      rows: sizes.map((size, i) => [
        formatCount(size),
        ...costCells(costs[i]!),
        formatRatio(cpuOf(costs[i]!) / cpuOf(costs[0]!)),
      ]),
      panels: [
        costPanel(
          { title: "sessions on one node", scale: "log" },
          sizes.map((size, i) => ({ x: size, cost: costs[i]! })),
        ),
      ],
      goals: [],
    };
  },
};

function sizesOf(quick: boolean): number[] {
  return quick ? [1, 10_000] : [1, 10, 100, 1_000, 10_000, 100_000];
}

function roundsOf(quick: boolean): number {
  return quick ? 3 : 7;
}
