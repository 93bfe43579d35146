import type { Redis } from "ioredis";
import { expect, test } from "vitest";
import { nodeTag } from "../../server/stores/session-id.ts";
import {
  appendOnce,
  createSession,
  numberedEvents,
  readAll,
} from "../contract/session-builders.ts";
import { StorePlace } from "../contract/store-place.ts";
import { closeRedisClient, openRedisClient } from "../support/redis-client.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { startRedisSentinel } from "../support/redis-sentinel.ts";
import { startRedis } from "../support/redis-server.ts";
import { waitFor } from "../support/wait-for.ts";

const IDS = numberedEvents(20).map(([id]) => id!);
const FAILOVER_TIMEOUT_MS = 30_000;

test("what a replica has is kept when it takes over from a master of a cluster", async () => {
  await using cluster = await startRedisCluster({ masters: 3, replicasPerMaster: 1 });
  await using place = new StorePlace(cluster.url);
  const { sessions } = await place.open({ timeoutMs: 2_000 });
  const sessionId = await createSession(sessions);
  for (const id of IDS.slice(0, 10)) await appendOnce(sessions, sessionId, id);
  const master = await cluster.ownerOf(await cluster.slotOf(`{${nodeTag("node")}}`));
  await untilReplicated(master.admin);

  await master.server.kill();
  const repeated = await appendOnce(sessions, sessionId, IDS[9]!);
  for (const id of IDS.slice(10)) await appendOnce(sessions, sessionId, id);

  expect(repeated).toEqual({ wasRepeat: true });
  expect((await readAll(sessions, sessionId)).stm).toEqual(IDS.map((id) => [id]));
});

test("what a replica has is kept when Sentinel makes it the master", async () => {
  await using group = await startRedisSentinel();
  const { master, url } = group;
  await using replica = await startRedis({
    config: { replicaof: `${master.host} ${master.port}`, "repl-diskless-sync-delay": "0" },
  });
  await untilReplicated(master.client());
  await untilSentinelKnowsReplica(url);
  await using place = new StorePlace(url);
  const { sessions } = await place.open({ timeoutMs: 2_000 });
  const sessionId = await createSession(sessions);
  for (const id of IDS.slice(0, 10)) await appendOnce(sessions, sessionId, id);
  await untilReplicated(master.client());

  await master.kill();
  const repeated = await appendOnce(sessions, sessionId, IDS[9]!);
  for (const id of IDS.slice(10)) await appendOnce(sessions, sessionId, id);

  expect(repeated).toEqual({ wasRepeat: true });
  expect((await readAll(sessions, sessionId)).stm).toEqual(IDS.map((id) => [id]));
  expect(await replica.client().role()).toContain("master");
});

/** Waits until a replica has all that was written so far. */
async function untilReplicated(admin: Redis): Promise<void> {
  const isReplicated = async () => {
    await admin.set("replicated", "yes");
    return (await admin.wait(1, 200)) === 1;
  };
  await waitFor(isReplicated, { what: "a replica to catch up", timeoutMs: FAILOVER_TIMEOUT_MS });
}

/** Makes the sentinel of that url look for replicas now, and soon notice when its master is down. */
async function untilSentinelKnowsReplica(url: string): Promise<void> {
  const [, port = "", name = ""] = /:(\d+)\/(.+)$/.exec(url) ?? [];
  const sentinel = openRedisClient(`redis://127.0.0.1:${port}`);
  await sentinel.call("SENTINEL", "RESET", name);
  await sentinel.call("SENTINEL", "SET", name, "down-after-milliseconds", "500");
  const knowsReplica = async () =>
    ((await sentinel.call("SENTINEL", "REPLICAS", name)) as unknown[]).length > 0;
  await waitFor(knowsReplica, { what: "the sentinel to look", timeoutMs: FAILOVER_TIMEOUT_MS });
  await closeRedisClient(sentinel);
}
