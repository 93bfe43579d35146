import { expect, test } from "vitest";
import type { Durability } from "../../server/stores/durability.ts";
import type { SessionStore } from "../../server/stores/session-store.ts";
import { nodeTag } from "../../server/stores/session-id.ts";
import {
  commitOf,
  createSession,
  NOW,
  numberedEvents,
  readAll,
} from "../contract/session-builders.ts";
import { StorePlace, UNAVAILABLE } from "../contract/store-place.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { startRedisSentinel } from "../support/redis-sentinel.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { untilReplicated, untilSentinelKnowsReplica } from "./failover-support.ts";

const REPLICATED: Durability = { kind: "replicated", replicas: 1 };
const IDS = numberedEvents(60).map(([id]) => id!);
const NODES = ["a", "b", "c", "d", "e", "f"];

test("a cluster's master acknowledges what its replica has, and others what theirs have", async () => {
  await using cluster = await startRedisCluster({ masters: 3, replicasPerMaster: 1 });
  await using place = new StorePlace(cluster.url);
  const { sessions } = await place.open({ durability: REPLICATED, timeoutMs: 3_000 });
  const sessionIds = await Promise.all(NODES.map((nodeId) => createSession(sessions, { nodeId })));
  const slotOf = (nodeId: string) => cluster.slotOf(`{${nodeTag(nodeId)}}`);
  const owner = await cluster.ownerOf(await slotOf("a"));
  const index = cluster.masters.findIndex(({ id }) => id === owner.id);
  const replica = cluster.replicas[index]!.server;

  await replica.pause();
  const results = await Promise.all(
    sessionIds.map(async (id, i) => {
      const isOfOwner = (await cluster.ownerOf(await slotOf(NODES[i]!))).id === owner.id;
      const commit = commitOf(id, { delta: { events: [["x"]] }, ids: ["x"] });
      const [outcome] = await Promise.allSettled([sessions.commit(commit)]);
      return { isOfOwner, outcome };
    }),
  );
  await replica.resume();

  for (const { isOfOwner, outcome } of results) {
    expect(outcome).toMatchObject(isOfOwner ? { reason: UNAVAILABLE } : { status: "fulfilled" });
  }
  // A slot that moves takes its receipts along, and is found again.
  await cluster.moveSlotOf(`{${nodeTag("a")}}`);
  await waitFor(() => sessions.extend(sessionIds[0]!, { nowMs: NOW, ttlSeconds: 90_000 }), {
    what: "a confirmation by the slot's new master",
  });
  // Without memory there are no receipts, and each repeat goes to its slot's master once more.
  const deleteAll = () => Promise.all(sessionIds.map((id) => sessions.delete(id, NOW, "once")));
  expect(await deleteAll()).toEqual(NODES.map(() => true));
  for (const { admin } of cluster.masters) await admin.config("SET", "maxmemory", "1");
  expect(await deleteAll()).toEqual(NODES.map(() => "repeated"));
});

test("nothing that a cluster acknowledged is missing when a replica takes over that missed the last changes", async () => {
  await using cluster = await startRedisCluster({ masters: 3, replicasPerMaster: 1 });
  await using place = new StorePlace(cluster.url);
  const { sessions } = await place.open({ durability: REPLICATED, timeoutMs: 2_000 });
  const master = await cluster.ownerOf(await cluster.slotOf(`{${nodeTag("node")}}`));

  const index = cluster.masters.findIndex(({ id }) => id === master.id);

  const history = await appendUntilLost(sessions, {
    master: master.server,
    replica: cluster.replicas[index]!.server,
  });

  await expectKept(sessions, history);
});

test("nothing that a group acknowledged is missing when Sentinel chooses a replica that missed the last changes", async () => {
  await using group = await startRedisSentinel();
  const { master, url } = group;
  await using replica = await startRedis({
    config: { replicaof: `${master.host} ${master.port}`, "repl-diskless-sync-delay": "0" },
  });
  await untilReplicated(master.client());
  await untilSentinelKnowsReplica(url);
  await using place = new StorePlace(url);
  const { sessions } = await place.open({ durability: REPLICATED, timeoutMs: 2_000 });

  const history = await appendUntilLost(sessions, { master, replica });

  await using reader = new StorePlace(url);
  await expectKept((await reader.open()).sessions, history);
  expect(await replica.client().role()).toContain("master");
});

type History = Map<string, string[]>;

/**
 * Appends to some sessions at once, to each until a call fails: in the middle the master goes on without its replica
 * for a while, and dies. Gives what was acknowledged.
 */
async function appendUntilLost(
  sessions: SessionStore,
  servers: { master: RedisServer; replica: RedisServer },
): Promise<History> {
  const sessionIds = await Promise.all(Array.from({ length: 8 }, () => createSession(sessions)));
  const history: History = new Map(sessionIds.map((id) => [id, []]));
  let lost: Promise<void> | undefined;
  await Promise.all(
    sessionIds.map(async (sessionId) => {
      for (const [version, id] of IDS.entries()) {
        if (version === 30) lost ??= loseMaster(servers);
        const commit = commitOf(sessionId, {
          baseVersion: version,
          time: version + 1,
          delta: { events: [[id]] },
          ids: [id],
          outcomes: [{ id, reply: null }],
        });
        const isAcknowledged = await sessions.commit(commit).then(
          () => true,
          () => false,
        );
        if (!isAcknowledged) return;
        history.get(sessionId)?.push(id);
      }
    }),
  );
  await lost;
  return history;
}

async function loseMaster({ master, replica }: Record<"master" | "replica", RedisServer>) {
  const admin = master.client();
  await replica.pause();
  await admin.call("CLIENT", "KILL", "TYPE", "replica");
  // Time for calls that would be acknowledged without the replica.
  for (let i = 0; i < 100; i++) await admin.ping();
  await master.kill();
  await replica.resume();
}

/** On the master that took over. */
async function expectKept(sessions: SessionStore, history: History): Promise<void> {
  expect([...history.values()].every((ids) => ids.length >= 29)).toBe(true);
  for (const [sessionId, ids] of history) {
    const { stm } = await waitFor(() => readAll(sessions, sessionId), {
      what: "the new master",
      timeoutMs: 30_000,
    });
    expect(stm.flat().slice(0, ids.length)).toEqual(ids);
  }
}
