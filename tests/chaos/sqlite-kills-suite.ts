import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import { drawWhole } from "../support/faults/draw.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { randomFrom } from "../support/random.ts";
import { openTestStore } from "../support/service.ts";
import { loadUnderFaults } from "./load-under-faults.ts";

const WORKERS = 4;
/** One kill of so many takes the primary as well. */
const PRIMARY_EVERY = 4;

export function describeSqliteKills(size: {
  sessions: number;
  nodes: number;
  kills: number;
}): void {
  const { sessions, nodes, kills } = size;
  test(`SQLite keeps everything once, in order and counted rightly, through ${kills} kills of all workers`, async ({
    task,
  }) => {
    const seed = chaosSeed();
    const random = randomFrom(seed);
    await using store = await openTestStore("sqlite");
    await using service = await startFaultyService({ store: store.url, workers: WORKERS, seed });

    await loadUnderFaults({
      task,
      name: "SQLite, all workers killed",
      seed,
      url: service.url,
      sessions,
      nodes,
      tally: service.tally,
      async disturb(load) {
        for (let kill = 1; kill <= kills; kill += 1) {
          await load.untilAcknowledged(drawWhole(random, sessions, 4 * sessions));
          if (kill < kills && kill % PRIMARY_EVERY !== 0) {
            await service.killAllWorkers();
            continue;
          }
          await service.killAll();
          // As the kill left it, before a worker has written to it again.
          if (kill === kills) expect(checkIntegrity(store.url)).toEqual(["ok"]);
          await service.restart();
        }
        await load.untilAcknowledged(sessions);
      },
      settle: () => service.restart(),
    });

    expect(service.tally.total).toBe(kills);
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
