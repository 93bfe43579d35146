import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { randomFrom } from "../support/random.ts";
import { chaosSeed } from "../support/faults/chaos-seed.ts";
import { drawWhole } from "../support/faults/draw.ts";
import { startFaultyService } from "../support/faults/faulty-service.ts";
import { checkHistory } from "../support/history/check-history.ts";
import { openTestStore } from "../support/service.ts";
import { formatReport } from "./chaos-report.ts";
import { ObserveLoad } from "./observe-load.ts";

const WORKERS = 4;
/** One kill of so many takes the primary as well: workers that die again and again under one are a crash loop to it. */
const PRIMARY_EVERY = 4;

export function describeSqliteKills(size: { sessions: number; kills: number }): void {
  const { sessions, kills } = size;
  test(`SQLite keeps all that was acknowledged, once and in order, through ${kills} kills of all workers`, async () => {
    const seed = chaosSeed();
    const random = randomFrom(seed);
    await using store = await openTestStore("sqlite");
    await using service = await startFaultyService({ store: store.url, workers: WORKERS, seed });
    await using load = new ObserveLoad(service.url);
    await load.start({ sessions, nodes: Math.ceil(sessions / 10) });

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
    await load.stop();
    const calls = await load.finish();
    const verdict = checkHistory(calls, { retriesInsideCalls: true });

    const violations = verdict.ok ? [] : verdict.violations;
    const failures = calls.flatMap((call) => (call.outcome === "ok" ? [] : [call.error]));
    const { made, retries } = load;
    const faults = service.tally;
    console.info(
      formatReport({
        name: "SQLite, all workers killed",
        seed,
        calls: made,
        retries,
        unknown: failures.length,
        faults,
        violations: violations.length,
      }),
    );
    expect(violations).toEqual([]);
    expect(failures).toEqual([]);
    expect(faults.total).toBe(kills);
    // Else the kills met no call.
    expect(retries).toBeGreaterThan(0);
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
