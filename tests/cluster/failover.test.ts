import { expect, test } from "vitest";
import { NODES_KEY } from "../../server/stores/redis/keys.ts";
import { nodeTag } from "../../server/stores/session-id.ts";
import {
  appendOnce,
  createSession,
  NOW,
  numberedEvents,
  readAll,
} from "../contract/session-builders.ts";
import { StorePlace } from "../contract/store-place.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { startRedisSentinel } from "../support/redis-sentinel.ts";
import { startRedis } from "../support/redis-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { untilReplicated, untilSentinelKnowsReplica } from "./failover-support.ts";

const IDS = numberedEvents(20).map(([id]) => id!);

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

test("a node that the replica had not heard of when it took over is added again with its next session", async () => {
  await using group = await startRedisSentinel();
  const { master, url } = group;
  await using replica = await startRedis({
    config: { replicaof: `${master.host} ${master.port}`, "repl-diskless-sync-delay": "0" },
  });
  await untilReplicated(master.client());
  await untilSentinelKnowsReplica(url);
  await using place = new StorePlace(url);
  const { sessions } = await place.open({ timeoutMs: 2_000 });
  const everything = { after: undefined, limit: 10, nowMs: NOW };
  await createSession(sessions);
  await untilReplicated(master.client());

  await master.kill();
  const again = async () => (await sessions.listNodes(everything)).items;
  await waitFor(again, { what: "the store to be used again" });
  await replica.client().del(NODES_KEY);
  const before = await again();
  await createSession(sessions);

  expect(before).toEqual([]);
  expect((await again()).map(({ nodeId }) => nodeId)).toEqual(["node"]);
});
