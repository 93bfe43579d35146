import { mutate } from "../../support/clients/fetch-client.ts";
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

const STM_LIMIT = 10_000;
const OBSERVES = 2_000;
/** More of short ones, so that they grow by no more than a tenth in a round. */
const sessionsOf = (length: number) => Math.max(50, Math.min(2_000, 20_000 / length));

export const observeByStmLength: Curve = {
  name: "observe-by-stm-length",
  title: "Observe by length of short-term memory",
  about:
    `Redis, one server with \`KATO_STM_LIMIT=${STM_LIMIT}\`, so that the last size is at the limit. Lengths are those at ` +
    `the beginning; short ones grow by up to a tenth in each round.`,
  steps: (quick) => lengthsOf(quick).length + observeSteps(roundsOf(quick)),
  async measure({ quick, onStep }) {
    await using redis = await startRedis();
    await using service = await startService({
      store: redis.url,
      env: { KATO_STM_LIMIT: String(STM_LIMIT), KATO_DEADLINE_MS: "60000" },
    });
    const lengths = lengthsOf(quick);
    const groups: string[][] = [];
    for (const length of lengths) {
      groups.push(await createFilled(service.url, { store: redis.url, length }));
      onStep();
    }
    const rounds = roundsOf(quick);
    const targets = groups.map((sessionIds) => ({ service, redis, sessionIds }));
    const costs = await measureObserves(targets, { rounds, observes: OBSERVES, onRound: onStep });
    return {
      header: ["events", ...COST_HEADER, "CPU to first"],
      rows: lengths.map((length, i) => [
        formatCount(length),
        ...costCells(costs[i]!),
        formatRatio(cpuOf(costs[i]!) / cpuOf(costs[0]!)),
      ]),
      panels: [
        costPanel(
          { title: "events in short-term memory", scale: "log" },
          lengths.map((length, i) => ({ x: length, cost: costs[i]! })),
        ),
      ],
      goals: [],
    };
  },
};

async function createFilled(
  url: string,
  { store: storeUrl, length }: { store: string; length: number },
): Promise<string[]> {
  const count = sessionsOf(length);
  const store = await openBenchStore(storeUrl);
  try {
    const nodeOf = (index: number) => `length-${length}-${index % 20}`;
    const sessionIds = await createSessions(store, { count, sample: count, nodeOf });
    const observations = Array.from({ length }, () => ({ strings: ["symbol"] }));
    for (const sessionId of sessionIds) {
      await mutate(url, "session.observeSequence", { sessionId, observations });
    }
    return sessionIds;
  } finally {
    await store.close();
  }
}

function lengthsOf(quick: boolean): number[] {
  return quick ? [10, 1_000] : [10, 30, 100, 300, 1_000, 3_000, 10_000];
}

function roundsOf(quick: boolean): number {
  return quick ? 3 : 7;
}
