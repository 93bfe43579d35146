import { join } from "node:path";
import type { HealthReport } from "@kato-rpc/shared/monitor.ts";
import { describe, expect, it } from "vitest";
import type { Check } from "../../server/cli/doctor/check.ts";
import type { DoctorReport } from "../../server/cli/doctor/doctor-command.ts";
import { runKato } from "../support/kato.ts";
import { startReplicatedRedis } from "../support/redis-replica.ts";
import { startRedis } from "../support/redis-server.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { startTestApp } from "../support/test-app.ts";
import { call, expectError, tryCall } from "../support/wire.ts";

const SHORT_OF_REPLICAS =
  "KATO_DURABILITY=replicated:2 with 1 of 2 replicas connected: no change is acknowledged";

describe("kato serve", () => {
  it("refuses to start where Redis has no log to bring to disk, and says so", async () => {
    await using redis = await startRedis();

    const { code, stdout, stderr } = await runKato(["serve", "--port", "0"], {
      env: { KATO_STORE: redis.url, KATO_DURABILITY: "fsync", KATO_LOG_FORMAT: "json" },
    });

    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(
      /cannot start: the store cannot be opened: KATO_DURABILITY=fsync: .*appendonly/,
    );
  });

  it("refuses to start with replicas of a SQLite file", async () => {
    const { code, stderr } = await runKato(["serve", "--durability", "replicated:1"]);

    expect(code).toBe(1);
    expect(stderr).toBe(
      'kato: KATO_DURABILITY "replicated:1": a SQLite file has no replicas; use fsync, or Redis',
    );
  });
});

describe("monitor.health", () => {
  it("tells what may be lost, and is degraded where Redis may drop what was acknowledged", async () => {
    await using redis = await startRedis({
      appendOnly: "everysec",
      config: { "maxmemory-policy": "allkeys-lru" },
    });
    await using app = await startTestApp({ settings: { KATO_STORE: redis.url } });

    const { status, issues, durability } = await call<HealthReport>(app.url, "monitor.health");

    expect(durability).toEqual({
      setting: "fast",
      window: expect.stringMatching(/may lose the last second or two; a failover may lose/),
    });
    expect(status).toBe("degraded");
    expect(issues).toContainEqual(
      expect.stringMatching(/^maxmemory-policy is allkeys-lru: .* set noeviction$/),
    );
  });

  it("tells of replicas that are missing, and calls that change something say so too", async () => {
    await using redis = await startReplicatedRedis();
    await using app = await startTestApp({
      settings: {
        KATO_STORE: redis.master.server.url,
        KATO_DURABILITY: "replicated:2",
        KATO_DEADLINE_MS: "1000",
      },
    });

    const { status, issues, durability } = await call<HealthReport>(app.url, "monitor.health");
    const creation = await tryCall(app.url, "session.create", { nodeId: "n" });

    expect(durability.setting).toBe("replicated:2");
    expect({ status, issues }).toEqual({
      status: "degraded",
      issues: expect.arrayContaining([SHORT_OF_REPLICAS]),
    });
    expect(expectError(creation, "STORE_UNAVAILABLE").message).toMatch(
      /only [01] of 2 replicas have it so far; .* repeat the call with the same id/,
    );
  });

  it("does not know what may be lost while the store is away", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using app = await startTestApp({
      settings: { KATO_STORE: redis.url, KATO_DURABILITY: "fsync" },
    });
    await redis.stop();

    const { status, durability } = await call<HealthReport>(app.url, "monitor.health");

    expect(status).toBe("unhealthy");
    expect(durability).toEqual({ setting: "fsync", window: null });
  });
});

describe("kato doctor", () => {
  it("tells what a fault may lose on SQLite", async () => {
    await using directory = await makeTemporaryDirectory();
    const store = `sqlite:${join(directory.path, "kato.db")}`;

    const fast = await examine({ KATO_STORE: store });
    const fsync = await examine({ KATO_STORE: store, KATO_DURABILITY: "fsync" });

    expect(fast.check).toMatchObject({
      status: "ok",
      found: expect.stringMatching(/^fast: .* a power cut may lose the last moments$/),
    });
    expect(fsync.check).toMatchObject({
      status: "ok",
      found: expect.stringMatching(/^fsync: .* a power cut loses nothing either$/),
    });
  });

  it("tells what a fault may lose on Redis, and warns of missing replicas", async () => {
    await using redis = await startReplicatedRedis({ appendOnly: "always" });
    const KATO_STORE = redis.master.server.url;

    const one = await examine({ KATO_STORE, KATO_DURABILITY: "replicated:1" });
    const two = await examine({ KATO_STORE, KATO_DURABILITY: "replicated:2" });
    const fsync = await examine({ KATO_STORE, KATO_DURABILITY: "fsync" });

    expect(one.check).toMatchObject({
      status: "ok",
      found: expect.stringMatching(/^replicated:1: a replica has all of it/),
    });
    expect(two.check).toMatchObject({
      status: "warn",
      found: expect.stringMatching(/^replicated:2 with 1 of 2 replicas connected/),
    });
    expect(fsync.check).toMatchObject({
      status: "ok",
      found: expect.stringMatching(/^fsync: a crash of Redis or of its machine loses nothing/),
    });
    expect([one.code, two.code, fsync.code]).toEqual([0, 0, 0]);
  });

  it("fails where kato serve would refuse to start", async () => {
    await using redis = await startRedis();

    const { code, check } = await examine({ KATO_STORE: redis.url, KATO_DURABILITY: "fsync" });

    expect(check).toMatchObject({
      status: "fail",
      found: expect.stringMatching(/^KATO_DURABILITY=fsync: .*appendonly/),
    });
    expect(code).toBe(1);
  });
});

async function examine(
  env: Record<string, string>,
): Promise<{ code: number | null; check: Check | undefined }> {
  const { code, stdout } = await runKato(["doctor", "--json"], { env });
  const { checks } = JSON.parse(stdout) as DoctorReport;
  return { code, check: checks.find(({ name }) => name === "durability") };
}
