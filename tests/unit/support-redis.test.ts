import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { findProcessStatus } from "../support/process-status.ts";
import { startRedis } from "../support/redis-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

describe("startRedis", () => {
  test("keeps what an append-only server was told through a restart and a crash", async () => {
    await using redis = await startRedis({ appendOnly: "always" });
    const client = redis.client();

    await client.set("before", "restart");
    await redis.restart();
    await client.set("after", "restart");
    await redis.kill();
    await redis.restart();

    expect(await client.mget("before", "after")).toEqual(["restart", "restart"]);
  });

  test("starts empty after a restart when nothing is appended", async () => {
    await using redis = await startRedis();
    const client = redis.client();

    await client.set("key", "value");
    await redis.stop();
    await redis.restart();

    expect(await client.get("key")).toBeNull();
  });

  test("leaves commands unanswered while paused, and answers them when resumed", async () => {
    await using redis = await startRedis();
    const client = redis.client();
    await client.set("count", 1);
    let isAnswered = false;

    await redis.pause();
    const reply = client.incr("count").finally(() => (isAnswered = true));
    await expect(redis.client({ commandTimeout: 100 }).ping()).rejects.toThrow("Command timed out");
    expect(isAnswered).toBe(false);
    await redis.resume();

    expect(await reply).toBe(2);
  });

  test("leaves neither process nor directory nor connection behind, even when paused", async () => {
    const redis = await startRedis();
    const client = redis.client();
    await client.ping();
    const { pid, dir } = redis;
    await redis.pause();

    await redis.close();

    expect(findProcessStatus(pid)).toBeUndefined();
    expect(existsSync(dir)).toBe(false);
    expect(client.status).toBe("end");
  });

  test("can be closed while it is down and its clients look for it", async () => {
    const redis = await startRedis();
    const client = redis.client();
    await client.ping();

    await redis.kill();
    await waitFor(() => client.status === "reconnecting", { what: "the client to notice" });
    const waiting = expect(client.get("key")).rejects.toThrow("Connection is closed");
    await redis.close();

    await waiting;
    await expect(client.ping()).rejects.toThrow("Connection is closed");
  });

  test("uses the port and directory it is given, and keeps that directory", async () => {
    await using directory = await makeTemporaryDirectory();
    const port = await freePort();

    await using redis = await startRedis({ port, dir: directory.path });
    await redis.close();

    expect(redis.url).toBe(`redis://127.0.0.1:${port}`);
    expect(existsSync(directory.path)).toBe(true);
  });

  test("refuses a given port that is taken, without mistaking the other server for its own", async () => {
    await using redis = await startRedis();

    await expect(startRedis({ port: redis.port })).rejects.toThrow("Address already in use");
    expect(await redis.client().ping()).toBe("PONG");
  });

  test("passes directives on, and puts a password into the url", async () => {
    await using redis = await startRedis({
      config: { requirepass: "open/sesame", maxmemory: "64mb" },
    });

    expect(redis.url).toBe(`redis://:open%2Fsesame@127.0.0.1:${redis.port}`);
    expect(await redis.client().config("GET", "maxmemory")).toEqual([
      "maxmemory",
      String(64 * 1024 * 1024),
    ]);
  });

  test("shows what the server wrote when it cannot start", async () => {
    await expect(startRedis({ config: { "no-such-directive": "1" } })).rejects.toThrow(
      /ended while starting.*no-such/s,
    );
  });
});
