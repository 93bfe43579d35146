import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startRedis } from "../support/redis-server.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { closeStore, GONE } from "./close-store.ts";

describe("closing a store leaves nothing that keeps the process alive", () => {
  test("on SQLite", async () => {
    await using directory = await makeTemporaryDirectory();

    const report = await closeStore(`sqlite:${join(directory.path, "kato.db")}`, "used");

    expect(report).toMatchObject({ first: "answered", ...GONE });
  });

  test.each(["untouched", "used", "with calls under way"])("on Redis: %s", async (state) => {
    await using redis = await startRedis();

    const report = await closeStore(redis.url, state);

    expect(report).toMatchObject({ first: state === "untouched" ? "" : "answered", ...GONE });
  });

  test.each(["untouched", "used", "with calls under way"])(
    "on a Redis that is down: %s",
    async (state) => {
      await using redis = await startRedis();
      await redis.stop();

      const report = await closeStore(redis.url, state);

      expect(report).toMatchObject({ first: state === "untouched" ? "" : "unavailable", ...GONE });
      expect(report.tookMs).toBeLessThan(400);
    },
  );

  test.each(["untouched", "used", "with calls under way"])(
    "on a Redis that hangs: %s",
    async (state) => {
      await using redis = await startRedis();
      await redis.pause();

      const report = await closeStore(redis.url, state);

      expect(report).toMatchObject({ first: state === "untouched" ? "" : "unavailable", ...GONE });
      expect(report.tookMs).toBeLessThan(1_500);
    },
  );
});
