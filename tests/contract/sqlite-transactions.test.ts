import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SqliteDatabase } from "../../server/stores/sqlite/database.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

const WORKS = 200;

describe("works that share a transaction", () => {
  test.each([
    ["all", 1],
    ["every eighth", 8],
    ["the last", WORKS],
  ])(
    "are done and undone each for itself where %s fails, and run twice at most",
    async (_, nth) => {
      await using directory = await makeTemporaryDirectory();
      const database = SqliteDatabase.open(join(directory.path, "kato.db"), { timeoutMs: 30_000 });
      const runs = Array.from({ length: WORKS }, () => 0);
      database.connection.exec("CREATE TABLE done (work INTEGER)");
      const insert = database.connection.prepare("INSERT INTO done VALUES (?)");
      const fails = (work: number) => work % nth === nth - 1;

      const outcomes = await Promise.allSettled(
        runs.map((_run, work) =>
          database.write(() => {
            runs[work] = (runs[work] ?? 0) + 1;
            insert.run(work);
            if (fails(work)) throw new Error(`work ${work}`);
            return work;
          }),
        ),
      );

      const rows = database.connection.prepare("SELECT work FROM done ORDER BY work").all();
      expect(rows.map(({ work }) => work)).toEqual(
        Array.from(runs.keys()).filter((work) => !fails(work)),
      );
      for (const [work, outcome] of outcomes.entries()) {
        expect(outcome).toMatchObject(
          fails(work) ? { reason: { message: `work ${work}` } } : { value: work },
        );
      }
      expect(Math.max(...runs)).toBeLessThanOrEqual(2);
      await database.close();
    },
  );
});
