import { expect, onTestFinished, test, vi } from "vitest";
import type { Durability } from "../../server/stores/durability.ts";
import { SqliteDatabase } from "../../server/stores/sqlite/database.ts";
import { openSqlitePlace } from "./store-place.ts";

/** `PRAGMA synchronous` (https://sqlite.org/pragma.html#pragma_synchronous). */
const NORMAL = 1;
const FULL = 2;

test.each([
  { durability: { kind: "fast" }, synchronous: NORMAL, window: /a power cut may lose/ },
  { durability: { kind: "fsync" }, synchronous: FULL, window: /a power cut loses nothing/ },
] satisfies { durability: Durability; synchronous: number; window: RegExp }[])(
  "a SQLite store waits for the disk as $durability.kind says",
  async ({ durability, synchronous, window }) => {
    const opened = vi.spyOn(SqliteDatabase, "open");
    onTestFinished(() => opened.mockRestore());
    await using place = await openSqlitePlace();
    const store = await place.open({ durability });

    const databases = opened.mock.results.map(({ value }) => value as SqliteDatabase);
    expect(
      databases.map(({ connection }) => connection.prepare("PRAGMA synchronous").get()),
    ).toEqual([{ synchronous }]);
    expect(await store.durability()).toEqual({
      setting: durability.kind,
      window: expect.stringMatching(window),
      warnings: [],
    });
  },
);

test("a SQLite store is not opened to wait for replicas", async () => {
  await using place = await openSqlitePlace();

  await expect(place.open({ durability: { kind: "replicated", replicas: 1 } })).rejects.toThrow(
    "KATO_DURABILITY=replicated:1: a SQLite file has no replicas",
  );
});
