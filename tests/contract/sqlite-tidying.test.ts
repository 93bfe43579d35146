import { describe, expect, test } from "vitest";
import type { OpenStore } from "../../server/stores/open-store.ts";
import { commitOf, createSession, DAY_MS, NOW, numberedEvents } from "./session-builders.ts";
import { fileOf, openFile } from "./sqlite-connection.ts";
import { openSqlitePlace } from "./store-place.ts";

const MINUTE_MS = 60_000;

/** Nodes are looked at a part of them at a time, and only that part is known to be tidy. Gives the steps it took. */
async function tidyAll(store: OpenStore, nowMs: number): Promise<number> {
  let steps = 0;
  for (let quiet = 0; quiet < 5; quiet += 1) {
    while (await store.tidy!(nowMs)) {
      steps += 1;
      quiet = 0;
    }
  }
  return steps;
}

describe("tidying a SQLite file", () => {
  test("clears away what has expired on every node, and nothing else", async () => {
    await using place = await openSqlitePlace();
    const store = await place.open();
    const nodeIds = Array.from({ length: 450 }, (_, i) => `node ${i}`);
    const create = (ttlSeconds: number) =>
      Promise.all(
        nodeIds.map(async (nodeId) => {
          const id = await createSession(store.sessions, { nodeId, ttlSeconds });
          await store.sessions.commit(commitOf(id, { delta: { events: numberedEvents(2) } }));
          return id;
        }),
      );
    const expired = await create(1);
    const living = await create(3_600);
    const nowMs = NOW + 1_000 + MINUTE_MS;
    using database = openFile(fileOf(place));
    const rows = (table: string) =>
      database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()!["rows"];

    await tidyAll(store, nowMs);
    expect(rows("sessions")).toBe(900);
    await tidyAll(store, nowMs + 1);

    expect([rows("sessions"), rows("entries")]).toEqual([450, 900]);
    for (const id of [expired[0]!, expired[449]!]) {
      expect(await store.sessions.find(id, nowMs + 1)).toBe("expired");
    }
    expect(await store.sessions.find(living[449]!, nowMs + 1)).toBe("live");
    await tidyAll(store, nowMs + DAY_MS);
    expect(await store.sessions.find(expired[0]!, NOW)).toBe("missing");
  });

  test("clears away a few sessions at each step", async () => {
    await using place = await openSqlitePlace();
    const store = await place.open();
    await Promise.all(
      Array.from({ length: 300 }, () => createSession(store.sessions, { ttlSeconds: 1 })),
    );

    const steps = await tidyAll(store, NOW + 1_001 + MINUTE_MS);

    expect(steps).toBeGreaterThanOrEqual(6);
    expect(await store.tidy!(NOW + 1_001 + MINUTE_MS)).toBe(false);
  });
});
