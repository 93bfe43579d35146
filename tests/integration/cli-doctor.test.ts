import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Check } from "../../server/cli/doctor/check.ts";
import type { DoctorReport } from "../../server/cli/doctor/doctor-command.ts";
import { freePort } from "../support/free-port.ts";
import { runKato } from "../support/kato.ts";
import { startProcess } from "../support/processes.ts";
import { findRedisServer } from "../support/redis-binary.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { startRedis } from "../support/redis-server.ts";
import { startService } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

describe("kato doctor on SQLite", () => {
  it("finds nothing wrong with a file in use, and changes nothing about it", async () => {
    await using directory = await makeTemporaryDirectory();
    const store = `sqlite:${join(directory.path, "kato.db")}`;
    await using service = await startService({ store });

    const { code, report, checks } = await examine(["--store", store]);

    expect(service.process.hasExited).toBe(false);
    expect(report).toMatchObject({ ok: true, store });
    expect(checks.get("persistence")).toMatchObject({
      status: "ok",
      found: expect.stringMatching(/journal mode WAL; synchronous NORMAL/),
    });
    expect(checks.get("schema")).toMatchObject({ status: "ok" });
    expect(checks.get("reachable")).toMatchObject({ status: "ok" });
    expect(report.checks.filter(({ status }) => status === "fail")).toEqual([]);
    expect(code).toBe(0);
  });

  it("finds nothing wrong with a file still to be made, and makes neither it nor its directory", async () => {
    await using directory = await makeTemporaryDirectory();
    const store = `sqlite:${join(directory.path, "deep", "down", "kato.db")}`;

    const { code, checks } = await examine(["--store", store]);

    expect(code).toBe(0);
    expect(checks.get("writable")).toMatchObject({ status: "ok", found: directory.path });
    expect(await readdir(directory.path)).toEqual([]);
  });

  it("leaves no trace of the default store either", async () => {
    await using directory = await makeTemporaryDirectory();

    const { code } = await runKato(["doctor"], { cwd: directory.path });

    expect(code).toBe(0);
    expect(await readdir(directory.path)).toEqual([]);
  });

  it("fails for a path that is a directory, or leads through a file", async () => {
    await using directory = await makeTemporaryDirectory();
    const file = join(directory.path, "file");
    await writeFile(file, "");

    const aDirectory = await examine(["--store", `sqlite:${directory.path}`]);
    const throughFile = await examine(["--store", `sqlite:${join(file, "kato.db")}`]);

    expect(aDirectory.checks.get("file")).toMatchObject({ status: "fail" });
    expect(throughFile.checks.get("writable")).toMatchObject({ status: "fail" });
    expect([aDirectory.code, throughFile.code]).toEqual([1, 1]);
  });

  it("fails for a file that is none of SQLite's, and leaves it as it was", async () => {
    await using directory = await makeTemporaryDirectory();
    const file = join(directory.path, "kato.db");
    await writeFile(file, "x".repeat(4_096));

    const { code, checks } = await examine(["--store", `sqlite:${file}`]);

    expect(checks.get("reachable")).toMatchObject({
      status: "fail",
      found: "no: file is not a database",
    });
    expect(code).toBe(1);
    expect(await readdir(directory.path)).toEqual(["kato.db"]);
  });

  it("fails for memory that several workers would not share", async () => {
    const { code, checks } = await examine(["--store", "sqlite::memory:", "--workers", "2"]);

    expect(checks.get("file")).toMatchObject({ status: "fail" });
    expect(code).toBe(1);
  });
});

describe("kato doctor on Redis", () => {
  it("finds nothing wrong with an append-only log and no eviction", async () => {
    await using redis = await startRedis({ appendOnly: "everysec" });

    const { code, report, checks } = await examine(["--store", redis.url]);

    expect(report.checks.filter(({ status }) => status !== "ok")).toEqual([]);
    expect([...checks.keys()]).toEqual(
      expect.arrayContaining([
        "settings",
        "node",
        "cores",
        "open files",
        "reachable",
        "version",
        "role",
      ]),
    );
    expect(checks.get("persistence")?.found).toMatch(/append-only log, .* every second/);
    expect(checks.get("clock")).toMatchObject({ status: "ok" });
    expect(code).toBe(0);
  });

  it("warns when nothing, or only a snapshot, outlives a restart", async () => {
    await using redis = await startRedis();
    const none = await examine(["--store", redis.url]);
    await redis.client().config("SET", "save", "60 1");
    const snapshots = await examine(["--store", redis.url]);

    expect(none.checks.get("persistence")).toMatchObject({
      status: "warn",
      found: expect.stringMatching(/^none/),
      advice: expect.stringMatching(/appendonly yes/),
    });
    expect(snapshots.checks.get("persistence")).toMatchObject({
      status: "warn",
      found: expect.stringMatching(/^snapshots only/),
    });
    expect([none.code, snapshots.code]).toEqual([0, 0]);
  });

  it("warns of an eviction policy without a limit, and fails with one", async () => {
    await using redis = await startRedis({ config: { "maxmemory-policy": "allkeys-lru" } });
    const unlimited = await examine(["--store", redis.url]);
    await redis.client().config("SET", "maxmemory", "100mb");
    const limited = await examine(["--store", redis.url]);

    expect(unlimited.checks.get("eviction")).toMatchObject({ status: "warn" });
    expect(unlimited.code).toBe(0);
    expect(limited.checks.get("eviction")).toMatchObject({
      status: "fail",
      found: expect.stringMatching(/^allkeys-lru/),
      advice: expect.stringMatching(/noeviction/),
    });
    expect(limited.code).toBe(1);
  });

  it("says unknown, as a warning, where the user may not ask, but must know the time", async () => {
    await using redis = await startRedis({ appendOnly: "everysec" });
    await redis.client().acl("SETUSER", "default", "-config");

    const { code, checks } = await examine(["--store", redis.url]);

    expect(checks.get("persistence")).toMatchObject({
      status: "warn",
      found: expect.stringMatching(/^unknown: .*CONFIG GET appendfsync/),
    });
    expect(checks.get("eviction")).toMatchObject({ status: "ok" });
    expect(code).toBe(0);

    await redis.client().acl("SETUSER", "default", "-time");
    const timeless = await examine(["--store", redis.url]);

    expect(timeless.checks.get("clock")).toMatchObject({ status: "fail" });
    expect(timeless.code).toBe(1);
  });

  it("fails where the user may not run all that the service calls, and says what is missing", async () => {
    await using redis = await startRedis({ appendOnly: "everysec" });
    await redis.client().acl("SETUSER", "default", "-lpop", "-sadd");

    const { code, checks } = await examine(["--store", redis.url]);

    expect(checks.get("permissions")).toMatchObject({
      status: "fail",
      found: expect.stringMatching(/LPOP, SADD$/),
      advice: expect.stringMatching(/ACL SETUSER/),
    });
    expect(code).toBe(1);
  });

  it("fails for a server that is not there", async () => {
    const { code, checks } = await examine(["--store", `redis://127.0.0.1:${await freePort()}`]);

    expect(checks.get("reachable")).toMatchObject({
      status: "fail",
      found: expect.stringMatching(/ECONNREFUSED/),
      advice: expect.stringMatching(/check host and port/),
    });
    expect(code).toBe(1);
  });

  it("fails for a wrong password, and shows none", async () => {
    await using redis = await startRedis({ config: { requirepass: "the-right-one" } });
    const store = redis.url.replace("the-right-one", "the-wrong-one");

    const { code, stdout, stderr } = await runKato(["doctor", "--store", store]);

    expect(code).toBe(1);
    expect(stdout).toMatch(/fail +reachable +no: WRONGPASS/);
    expect(stdout).toMatch(/→ check user and password/);
    expect(stdout + stderr).not.toMatch(/the-(right|wrong)-one/);
  });

  it("fails for a replica", async () => {
    await using master = await startRedis();
    await using replica = await startRedis();
    await replica.client().replicaof(master.host, master.port);

    const { code, checks } = await examine(["--store", replica.url]);

    expect(checks.get("role")).toMatchObject({ status: "fail" });
    expect(code).toBe(1);
  });

  it("fails for a group of Sentinels that do not know the master, and asks the master where they do", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    await using sentinel = await startSentinel("kato", redis.port);

    const known = await examine(["--store", `redis+sentinel://${sentinel.address}/kato`]);
    const unknown = await examine(["--store", `redis+sentinel://${sentinel.address}/other`]);

    expect(known.checks.get("sentinel")).toMatchObject({
      status: "ok",
      found: `the master of kato is 127.0.0.1:${redis.port}`,
    });
    expect(known.checks.get("persistence")).toMatchObject({ status: "ok" });
    expect(unknown.checks.get("sentinel")).toMatchObject({ status: "fail" });
    expect([known.code, unknown.code]).toEqual([0, 1]);
  });
});

describe("kato doctor on a cluster", () => {
  it(
    "looks at every master, and notices slots that nobody serves",
    { timeout: 120_000 },
    async () => {
      await using cluster = await startRedisCluster({ appendOnly: "everysec" });
      const [first] = cluster.masters;
      const whole = await examine(["--store", cluster.url]);
      const asSingle = await examine(["--store", first!.server.url]);
      await first!.admin.config("SET", "maxmemory-policy", "volatile-ttl");
      const uneven = await examine(["--store", cluster.url]);
      await first!.admin.cluster("DELSLOTS", 0);
      const incomplete = await examine(["--store", cluster.url]);

      expect(whole.report.checks.filter(({ status }) => status !== "ok")).toEqual([]);
      expect(whole.checks.get("cluster")?.found).toBe(
        "state ok, 16384 of 16384 slots served by 3 masters",
      );
      expect(asSingle.checks.get("role")).toMatchObject({
        status: "fail",
        found: "one node of a cluster",
      });
      expect(uneven.checks.get("eviction")).toMatchObject({
        status: "warn",
        found: expect.stringContaining(`(127.0.0.1:${first!.server.port})`),
      });
      expect(incomplete.report.ok).toBe(false);
      expect([whole.code, asSingle.code, uneven.code, incomplete.code]).toEqual([0, 1, 0, 1]);
    },
  );

  it("fails for a server that is no cluster", async () => {
    await using redis = await startRedis();

    const { code, checks } = await examine([
      "--store",
      redis.url.replace("redis:", "redis+cluster:"),
    ]);

    expect(checks.get("reachable")).toMatchObject({
      status: "fail",
      advice: expect.stringMatching(/no cluster/),
    });
    expect(code).toBe(1);
  });
});

describe("kato doctor", () => {
  it("takes the settings from the environment as kato serve does", async () => {
    await using redis = await startRedis();

    const { stdout } = await runKato(["doctor", "--json"], { env: { KATO_STORE: redis.url } });

    expect((JSON.parse(stdout) as DoctorReport).store).toBe(`${redis.url}/0`);
  });

  it.each([
    ["an unknown name", { KATO_PORTS: "1" }, /^KATO_PORTS: there is no such setting/],
    ["a value out of range", { KATO_PORT: "70000" }, /^KATO_PORT "70000": /],
    [
      "a store that is none",
      { KATO_STORE: "mysql://x:secret@y" },
      /^KATO_STORE: expected sqlite:PATH/,
    ],
  ])("fails for %s in the environment", async (_what, env, problem) => {
    const { stdout, code } = await runKato(["doctor", "--json"], { env });

    const { ok, checks } = JSON.parse(stdout) as DoctorReport;
    expect({ ok, code }).toEqual({ ok: false, code: 1 });
    expect(checks.find(({ name }) => name === "settings")).toMatchObject({
      status: "fail",
      found: expect.stringMatching(problem),
    });
    expect(stdout).not.toContain("secret");
  });

  it("prints plain aligned lines when piped, with what to do below", async () => {
    await using redis = await startRedis();

    const { stdout } = await runKato(["doctor", "--store", redis.url], {
      env: { FORCE_COLOR: "1" },
    });

    expect(stdout).not.toContain("\u001B");
    expect(stdout).toMatch(/^ok {4}settings {5}valid$/m);
    expect(stdout).toMatch(/^warn {2}persistence {2}none.*\n {6}→ set appendonly yes/m);
    expect(stdout).toMatch(/\n\n\d+ ok, 1 to look at, 0 failed$/);
  });
});

async function examine(
  flags: readonly string[],
): Promise<{ code: number | null; report: DoctorReport; checks: Map<string, Check> }> {
  const { code, stdout } = await runKato(["doctor", ...flags, "--json"]);
  const report = JSON.parse(stdout) as DoctorReport;
  return { code, report, checks: new Map(report.checks.map((check) => [check.name, check])) };
}

/** A real Sentinel that watches the Redis of `port` under this name. */
async function startSentinel(name: string, port: number) {
  const directory = await makeTemporaryDirectory();
  const sentinelPort = await freePort();
  const config = join(directory.path, "sentinel.conf");
  await writeFile(
    config,
    `bind 127.0.0.1\nport ${sentinelPort}\nsentinel monitor ${name} 127.0.0.1 ${port} 1\n`,
  );
  const sentinel = await startProcess({
    command: await findRedisServer(),
    args: [config, "--sentinel"],
    cwd: directory.path,
  });
  await sentinel.waitForLine(/\+monitor master/);
  return {
    address: `127.0.0.1:${sentinelPort}`,
    async [Symbol.asyncDispose]() {
      await sentinel.stop();
      await directory.remove();
    },
  };
}
