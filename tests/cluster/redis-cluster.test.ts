import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeTag } from "../../server/stores/session-id.ts";
import type { Learn } from "../../server/stores/session-store.ts";
import { closeStore, GONE } from "../contract/close-store.ts";
import {
  appendOnce,
  createSession,
  NOW,
  numberedEvents,
  readAll,
} from "../contract/session-builders.ts";
import { learnAll, learnOf, readNode, replayLog, followLog } from "../contract/node-builders.ts";
import { describeNodeStore } from "../contract/node-store-suite.ts";
import { describeSessionStore } from "../contract/session-store-suite.ts";
import type { OpenPlace } from "../contract/store-place.ts";
import { ageKeys, StorePlace } from "../contract/store-place.ts";
import type { RedisCluster } from "../support/redis-cluster.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { waitFor } from "../support/wait-for.ts";

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster({ masters: 3, appendOnly: "always" });
});
afterAll(() => cluster.close());

/** The cluster belongs to this file, whose tests run one after another, so each may begin by emptying it. */
const openPlace: OpenPlace = async () => {
  const admins = cluster.masters.map(({ admin }) => admin);
  await Promise.all(admins.map((admin) => admin.flushall()));
  return new StorePlace(cluster.url, {
    async passTime(ms) {
      await Promise.all(admins.map((admin) => ageKeys(admin, ms)));
    },
  });
};

describeSessionStore("Redis Cluster", openPlace);
describeNodeStore("Redis Cluster", openPlace);

/** Sessions on nodes of which each master has some, in turns. */
async function sessionsEverywhere(place: StorePlace, count: number) {
  const { sessions } = await place.open();
  const ids = await Promise.all(
    Array.from({ length: count }, (_, i) => createSession(sessions, { nodeId: `node ${i}` })),
  );
  return { sessions, ids };
}

function keyOf(nodeId: string): string {
  return `{${nodeTag(nodeId)}}`;
}

const IDS = numberedEvents(40).map(([id]) => id!);

describe("a cluster", () => {
  test("has the sessions of many nodes spread over its masters, each node's together", async () => {
    await using place = await openPlace();
    await sessionsEverywhere(place, 60);

    const keysOf = await Promise.all(cluster.masters.map(({ admin }) => admin.keys("kato:{*")));

    const tags = keysOf.map((keys) => new Set(keys.map((key) => key.split(/[{}]/)[1])));
    expect(Math.min(...tags.map((set) => set.size))).toBeGreaterThan(0);
    expect(tags.reduce((sum, set) => sum + set.size, 0)).toBe(60);
  });

  test("takes fifty first calls that come before the connection", async () => {
    await using place = await openPlace();

    const { ids } = await sessionsEverywhere(place, 50);

    expect(new Set(ids).size).toBe(50);
  });

  test("goes on with commits when a slot has moved between them", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open();
    const sessionId = await createSession(sessions);
    for (const id of IDS.slice(0, 5)) await appendOnce(sessions, sessionId, id);

    await cluster.moveSlotOf(keyOf("node"));
    const repeated = await appendOnce(sessions, sessionId, IDS[4]!);
    for (const id of IDS.slice(5)) await appendOnce(sessions, sessionId, id);

    expect(repeated).toEqual({ wasRepeat: true });
    expect((await readAll(sessions, sessionId)).stm).toEqual(IDS.map((id) => [id]));
    expect(await sessions.find(await createSession(sessions), NOW)).toBe("live");
  });

  test("loses and doubles nothing while slots move under busy sessions", async () => {
    await using place = await openPlace();
    const { sessions, ids: sessionIds } = await sessionsEverywhere(place, 12);

    const appending = Promise.all(
      sessionIds.map(async (sessionId) => {
        for (const id of IDS) await appendOnce(sessions, sessionId, id);
      }),
    );
    for (const i of [0, 1, 2, 0]) await cluster.moveSlotOf(keyOf(`node ${i}`));
    await appending;

    for (const sessionId of sessionIds) {
      const { stm, state } = await readAll(sessions, sessionId);
      expect(stm).toEqual(IDS.map((id) => [id]));
      expect(state.version).toBe(IDS.length);
    }
  });

  test("keeps what a node learned in step with its log while its slot moves", async () => {
    await using place = await openPlace();
    const store = await place.open();
    const nodeIds = Array.from({ length: 6 }, (_, i) => `node ${i}`);
    const patterns = IDS.map((id) => learnOf([["a"], [id]], { emotives: [{ joy: 0.1 }] }));
    const learnOnce = (nodeId: string, learns: Learn[]) =>
      waitFor(() => learnAll(store, learns, { nodeId }), { what: "the slot" });

    const learning = Promise.all(
      nodeIds.map(async (nodeId) => {
        for (const pattern of patterns) await learnOnce(nodeId, [pattern, patterns[0]!]);
      }),
    );
    for (const i of [0, 1, 0]) await cluster.moveSlotOf(keyOf(`node ${i}`));
    await learning;

    for (const tag of nodeIds.map(nodeTag)) {
      const contents = await readNode(store.nodes, { tag, limit: 10 });
      expect(contents.totals).toMatchObject({ patterns: IDS.length });
      expect(contents).toEqual(replayLog(await followLog(store.nodes, { tag })).contents());
    }
  });

  test("finds a slot that moved although its neighbours stay busy", async () => {
    await using place = await openPlace();
    const { sessions, ids } = await sessionsEverywhere(place, 30);
    await Promise.all(ids.map((id) => readAll(sessions, id)));

    await cluster.moveSlotOf(keyOf("node 0"));
    const loads = await Promise.all(ids.map((id) => readAll(sessions, id)));

    expect(loads.map(({ state }) => state.sessionId)).toEqual(ids);
  });

  test("is unavailable where a master is down, and used again when it is back", async () => {
    await using place = await openPlace();
    const { sessions } = await place.open({ timeoutMs: 500 });
    const sessionId = await createSession(sessions);
    await appendOnce(sessions, sessionId, "a");
    const master = await cluster.ownerOf(await cluster.slotOf(keyOf("node")));

    await master.server.kill();
    await expect(readAll(sessions, sessionId)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await master.server.restart();
    await cluster.untilHealthy();

    expect(await appendOnce(sessions, sessionId, "a")).toEqual({ wasRepeat: true });
    expect(await appendOnce(sessions, sessionId, "b")).toEqual({ wasRepeat: false });
    const { stm } = await waitFor(() => readAll(sessions, sessionId), { what: "the master" });
    expect(stm).toEqual([["a"], ["b"]]);
  });
});

describe("closing a store of a cluster leaves nothing that keeps the process alive", () => {
  test.each(["untouched", "used", "with calls under way"])("%s", async (state) => {
    const report = await closeStore(cluster.url, state);

    expect(report).toMatchObject(GONE);
    expect(report.tookMs).toBeLessThan(1_500);
  });

  test("with calls under way on masters that hang", async () => {
    await Promise.all(cluster.masters.map(({ server }) => server.pause()));
    try {
      const report = await closeStore(cluster.url, "with calls under way");

      expect(report).toMatchObject({ first: "unavailable", later: GONE.later });
      expect(report.tookMs).toBeLessThan(1_500);
    } finally {
      await Promise.all(cluster.masters.map(({ server }) => server.resume()));
    }
  });
});
