import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { dataOf } from "../support/http-calls.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import type { Refused } from "../support/repeating-learner.ts";
import { expectWhole, learnUntilRefused, RepeatingLearner } from "../support/repeating-learner.ts";
import { openSmallDisk } from "../support/small-disk.ts";
import type { TestApp } from "../support/test-app.ts";
import { startTestApp } from "../support/test-app.ts";
import { waitFor } from "../support/wait-for.ts";

const DISK_BYTES = 4 * 2 ** 20;

await using probe = await openSmallDisk(DISK_BYTES);
const mayMount = probe !== undefined;

describe.runIf(mayMount)("a service whose Redis has a full disk", () => {
  it("refuses writes whole, goes on to read, and writes again when there is space", async () => {
    await using disk = (await openSmallDisk(DISK_BYTES))!;
    await using redis = await startRedis({ dir: disk.path, appendOnly: "everysec" });
    await using app = await startApp(redis.url);
    const learners = await startLearners(app);

    await disk.fill();
    const refused = await learnUntilRefused(learners);
    await expectWhole(app.url, learners);
    await disk.free();
    await repeatAll(refused);
    await expectWhole(app.url, learners);
    await redis.restart();

    for (const { reply } of refused) {
      expect(reply.error).toMatchObject({
        kato: "STORE_UNAVAILABLE",
        httpStatus: 503,
        message: expect.stringContaining("cannot write to its disk"),
      });
    }
    await expectWholeWhenBack(app, redis, learners);
  });

  it("loses nothing that was acknowledged where each write is on the disk before its answer", async () => {
    await using disk = (await openSmallDisk(DISK_BYTES))!;
    await using redis = await startRedis({ dir: disk.path, appendOnly: "always" });
    await using app = await startApp(redis.url);
    const learners = await startLearners(app);

    await disk.fill();
    // Redis ends itself when it cannot keep this promise.
    const refused = await learnUntilRefused(learners);
    await disk.free();
    await redis.restart();
    await repeatAll(refused);

    for (const { reply } of refused) expect(reply.error?.kato).toBe("STORE_UNAVAILABLE");
    await expectWholeWhenBack(app, redis, learners);
  });
});

describe.runIf(mayMount)("a service whose SQLite file is on a full disk", () => {
  it("refuses writes whole, and writes again when there is space", async () => {
    await using disk = (await openSmallDisk(DISK_BYTES))!;
    const path = join(disk.path, "kato.db");
    await using app = await startApp(`sqlite:${path}`);
    const learners = await startLearners(app);

    await disk.fill();
    const refused = await learnUntilRefused(learners);
    await disk.free();
    await repeatAll(refused);

    for (const { reply } of refused) {
      expect(reply.error).toMatchObject({
        kato: "STORE_UNAVAILABLE",
        httpStatus: 503,
        message: expect.stringContaining("disk of the SQLite file is full"),
      });
    }
    await expectWhole(app.url, learners);
    using database = new DatabaseSync(path);
    expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  });
});

function startApp(store: string): Promise<TestApp> {
  return startTestApp({ settings: { KATO_STORE: store, KATO_DEADLINE_MS: "3000" } });
}

async function startLearners({ url }: TestApp): Promise<RepeatingLearner[]> {
  const learners = await Promise.all(
    Array.from({ length: 4 }, () => RepeatingLearner.start(url, { nodeId: "n", bytes: 900 })),
  );
  expect(await Promise.all(learners.map((learner) => learner.learn()))).toEqual(
    learners.map(() => undefined),
  );
  return learners;
}

async function repeatAll(refused: readonly Refused[]): Promise<void> {
  for (const { repeat } of refused) {
    await waitFor(async () => (await repeat()).error === undefined, {
      what: "the store to take writes again",
    });
  }
}

async function expectWholeWhenBack(
  { url }: TestApp,
  redis: RedisServer,
  learners: readonly RepeatingLearner[],
): Promise<void> {
  await waitFor(() => dataOf(url, "session.count"), { what: `the Redis of port ${redis.port}` });
  await expectWhole(url, learners);
}
