import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../../server/config.ts";
import { fail, ok, warn, worstOf } from "../../../server/cli/doctor/check.ts";
import { judgeSentinels } from "../../../server/cli/doctor/check-sentinels.ts";
import { checkFreeBytes } from "../../../server/cli/doctor/check-sqlite.ts";
import { judgeJournal, judgeSchema } from "../../../server/cli/doctor/check-sqlite-file.ts";
import {
  checkCores,
  checkNode,
  checkOpenFiles,
} from "../../../server/cli/doctor/machine-checks.ts";
import {
  checkClock,
  checkConnections,
  checkEviction,
  checkLatency,
  checkVersion,
} from "../../../server/cli/doctor/redis-checks.ts";
import { checkCluster } from "../../../server/cli/doctor/redis-cluster.ts";
import type { RedisFacts } from "../../../server/cli/doctor/redis-facts.ts";
import { parseInfo } from "../../../server/stores/redis/server-facts.ts";
import { checkPersistence } from "../../../server/cli/doctor/redis-persistence.ts";

const MIB = 1_048_576;

function facts(info: Record<string, string>, rest: Partial<RedisFacts> = {}): RedisFacts {
  return {
    latencyMs: 1,
    info: new Map(Object.entries(info)),
    config: undefined,
    clockAheadMs: 0,
    ...rest,
  };
}

describe("the machine", () => {
  it.each([
    ["22.18.0", "ok"],
    ["26.10.0", "ok"],
    ["22.17.1", "fail"],
    ["20.20.2", "fail"],
  ])("with Node %s is %s", (version, status) => {
    expect(checkNode(version).status).toBe(status);
  });

  it("should have a core for each worker", () => {
    const config = resolveConfig({ KATO_WORKERS: "4" });

    expect(checkCores(config, 4).status).toBe("ok");
    expect(checkCores(config, 2)).toMatchObject({ status: "warn", found: "2 cores for 4 workers" });
  });

  it("should allow a file for every call that may wait", () => {
    const config = resolveConfig({ KATO_QUEUE_LIMIT: "900", KATO_LIMIT_CONCURRENCY: "100" });

    expect(checkOpenFiles(config, 1_064).status).toBe("ok");
    expect(checkOpenFiles(config, Infinity).status).toBe("ok");
    expect(checkOpenFiles(config, 1_063).status).toBe("warn");
    expect(checkOpenFiles(config, undefined).status).toBe("warn");
  });
});

describe("a Redis", () => {
  it.each([
    [{ redis_version: "7.0.15" }, "ok", "Redis 7.0.15"],
    [{ redis_version: "8.2.1" }, "ok", "Redis 8.2.1"],
    [{ redis_version: "6.2.14" }, "fail", "Redis 6.2.14"],
    [{ redis_version: "7.2.4", valkey_version: "8.1.0" }, "ok", "Valkey 8.1.0"],
    [{ redis_version: "7.2.4", valkey_version: "7.2.5" }, "fail", "Valkey 7.2.5"],
  ])("of %j is %s", (info, status, found) => {
    expect(checkVersion(facts(info))).toMatchObject({ status, found });
  });

  it("far away is worth a warning", () => {
    expect(checkLatency(facts({}, { latencyMs: 50 })).status).toBe("warn");
  });

  it.each([
    ["noeviction", 0, 10, "ok"],
    ["noeviction", 100, 10, "ok"],
    ["noeviction", 100, 90, "warn"],
    ["noeviction", 100, 100, "fail"],
    ["volatile-lru", 0, 10, "warn"],
    ["allkeys-lru", 100, 10, "fail"],
  ])(
    "that evicts by %s with a limit of %i MiB and %i in use is %s",
    (policy, limit, used, status) => {
      const info = {
        maxmemory_policy: policy,
        maxmemory: String(limit * MIB),
        used_memory: String(used * MIB),
      };

      expect(checkEviction(facts(info)).status).toBe(status);
    },
  );

  it.each([
    [{ aof_enabled: "1" }, { appendfsync: "everysec" }, "ok"],
    [{ aof_enabled: "1" }, { appendfsync: "always" }, "ok"],
    [{ aof_enabled: "1" }, { appendfsync: "no" }, "warn"],
    [{ aof_enabled: "1" }, {}, "warn"],
    [{ aof_enabled: "0" }, { save: "3600 1" }, "warn"],
    [{ aof_enabled: "0" }, { save: "" }, "warn"],
    [{ aof_enabled: "1", aof_last_write_status: "err" }, { appendfsync: "always" }, "fail"],
    [{ aof_enabled: "1", rdb_last_bgsave_status: "err" }, { appendfsync: "always" }, "fail"],
  ])("that persists as %j and %j say is %s", (info, config, status) => {
    const known = facts(info, { config: new Map(Object.entries(config)) });

    expect(checkPersistence(known).status).toBe(status);
  });

  it.each([
    [0, "ok"],
    [-999, "ok"],
    [1_001, "warn"],
    [-60_000, "warn"],
  ])("whose clock is %i ms ahead is %s", (clockAheadMs, status) => {
    expect(checkClock(facts({}, { clockAheadMs })).status).toBe(status);
  });

  it.each([
    ["10000", "5", "ok"],
    ["20", "5", "warn"],
    ["6", "5", "fail"],
  ])("that takes %s connections and has %s is %s for two workers", (most, used, status) => {
    const info = { maxclients: most, connected_clients: used };

    expect(checkConnections(facts(info), 2).status).toBe(status);
  });

  it("that permits no question is unknown, as a warning, in everything but its latency and clock", () => {
    const silent = { latencyMs: 1, info: undefined, config: undefined, clockAheadMs: undefined };
    const checks = [
      checkVersion(silent),
      checkPersistence(silent),
      checkEviction(silent),
      checkConnections(silent, 1),
    ];

    for (const { status, found } of checks) {
      expect({ status, found }).toEqual({
        status: "warn",
        found: expect.stringMatching(/^unknown/),
      });
    }
  });

  it("that permits no question about the time cannot expire sessions", () => {
    expect(checkClock(facts({}, { clockAheadMs: undefined })).status).toBe("fail");
  });
});

describe("a cluster", () => {
  it.each([
    ["cluster_state:ok\r\ncluster_slots_ok:16384\r\ncluster_size:3\r\n", "ok"],
    ["cluster_state:ok\r\ncluster_slots_ok:16383\r\ncluster_size:3\r\n", "fail"],
    ["cluster_state:fail\r\ncluster_slots_ok:16384\r\ncluster_size:3\r\n", "fail"],
  ])("that says %j is %s", (text, status) => {
    expect(checkCluster(facts({}, { cluster: parseInfo(text) })).status).toBe(status);
  });

  it("is as good as its worst master, which is named", () => {
    const checks = new Map([
      ["a:1", ok("eviction", "noeviction")],
      ["b:2", fail("eviction", "allkeys-lru", "change it")],
      ["c:3", warn("eviction", "unknown", "ask")],
    ]);

    expect(worstOf(checks)).toEqual(fail("eviction", "allkeys-lru (b:2)", "change it"));
  });
});

describe("Sentinels", () => {
  const one = { sentinel: "s1:1", master: "m:1" };

  it("are ok when all know the same master", () => {
    expect(judgeSentinels("g", [one, { sentinel: "s2:1", master: "m:1" }]).status).toBe("ok");
  });

  it("are worth a warning when one is missing", () => {
    const check = judgeSentinels("g", [one, { sentinel: "s2:1", problem: "ECONNREFUSED" }]);

    expect(check).toMatchObject({
      status: "warn",
      found: expect.stringContaining("s2:1: ECONNREFUSED"),
    });
  });

  it("fail when they disagree, or none knows a master", () => {
    expect(judgeSentinels("g", [one, { sentinel: "s2:1", master: "m:2" }]).status).toBe("fail");
    expect(judgeSentinels("g", [{ sentinel: "s2:1", problem: "knows no group g" }]).status).toBe(
      "fail",
    );
  });
});

describe("a SQLite file", () => {
  it("of a later release fails", () => {
    expect(judgeSchema(3, 2).status).toBe("fail");
    expect(judgeSchema(2, 2).status).toBe("ok");
    expect(judgeSchema(0, 2).status).toBe("ok");
  });

  it("is told with its journal and how it is written", () => {
    expect(judgeJournal("wal", 2).found).toBe("journal mode WAL; synchronous FULL");
    expect(judgeJournal("delete", 1).found).toMatch(
      /^journal mode DELETE, WAL from the next start/,
    );
  });

  it.each([
    [5_000, "ok"],
    [500, "warn"],
    [10, "fail"],
  ])("with %i MiB left on its disk is %s", (mebibytes, status) => {
    expect(checkFreeBytes(mebibytes * MIB).status).toBe(status);
  });
});
