import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import { drawWhole } from "../support/faults/draw.ts";
import { openFaultProxy } from "../support/faults/fault-proxy.ts";
import { drawFaultScript, playFaultScript } from "../support/faults/fault-script.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { randomFrom } from "../support/random.ts";
import { openTestStore } from "../support/service.ts";
import { loadUnderFaults } from "./load-under-faults.ts";
import { NETWORK_FAULTS } from "./network-faults.ts";

const WORKERS = 4;
/** One kill of so many takes the primary as well. */
const PRIMARY_EVERY = 4;
/** The network is bad for as long as workers are killed, at most so long. */
const LONGEST_MS = 600_000;

export function describeSqliteKills(size: {
  sessions: number;
  nodes: number;
  kills: number;
}): void {
  const { sessions, nodes, kills } = size;
  test(`SQLite keeps everything once, in order and counted rightly, through ${kills} kills of all workers and cut connections`, async ({
    task,
  }) => {
    const seed = chaosSeed();
    const random = randomFrom(seed);
    await using store = await openTestStore("sqlite");
    await using service = await startFaultyService({ store: store.url, workers: WORKERS, seed });
    const { tally } = service;
    const port = Number(new URL(service.url).port);
    await using toService = await openFaultProxy({ port, seed, tally });
    const script = drawFaultScript(seed, { ...NETWORK_FAULTS, durationMs: LONGEST_MS });
    const over = new AbortController();

    const { retries } = await loadUnderFaults({
      task,
      name: "SQLite, all workers killed, network bad",
      seed,
      url: `http://127.0.0.1:${toService.port}`,
      sessions,
      nodes,
      tally,
      async disturb(load) {
        const kill = async (isLast: boolean, takesPrimary: boolean) => {
          await load.untilAcknowledged(drawWhole(random, 2 * sessions, 8 * sessions));
          if (!isLast && !takesPrimary) {
            await service.killAllWorkers();
            return;
          }
          await service.killAll();
          // As the kill left it, before a worker has written to it again.
          if (isLast) expect(checkIntegrity(store.url)).toEqual(["ok"]);
          await service.restart();
        };
        const network = playFaultScript(toService, script, over.signal);
        try {
          for (let i = 1; i <= kills; i += 1) await kill(i === kills, i % PRIMARY_EVERY === 0);
        } finally {
          over.abort();
          await network;
        }
        toService.clear();
        await load.untilAcknowledged(sessions);
      },
      settle: () => service.restart(),
    });

    expect(retries).toBeGreaterThan(0);
    expect(tally.of("all workers killed") + tally.of("service killed")).toBe(kills);
    expect(checkIntegrity(store.url)).toEqual(["ok"]);
  });
}

/** What is wrong with the file of a SQLite store; ["ok"] when nothing is. */
function checkIntegrity(url: string): unknown[] {
  const database = new DatabaseSync(url.slice("sqlite:".length));
  try {
    const rows = database.prepare("PRAGMA integrity_check").all();
    return rows.map(({ integrity_check }) => integrity_check);
  } finally {
    database.close();
  }
}
