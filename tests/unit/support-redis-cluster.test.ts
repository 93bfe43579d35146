import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRedisCluster, type RedisCluster } from "../support/redis-cluster.ts";
import { waitFor } from "../support/wait-for.ts";

describe("a cluster of three masters", () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster({ masters: 3, appendOnly: "always" });
  });
  afterAll(() => cluster.close());

  test("takes keys on all of its nodes", async () => {
    const client = cluster.client();
    const keys = Array.from({ length: 60 }, (_, index) => `spread-${index}`);

    await Promise.all(keys.map((key) => client.set(key, "value")));
    const sizes = await Promise.all(cluster.nodes.map(({ admin }) => admin.dbsize()));

    expect(sizes).toHaveLength(3);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });

  test("names all of its nodes in its url", () => {
    expect(cluster.url).toMatch(/^redis\+cluster:\/\/(127\.0\.0\.1:\d+,){2}127\.0\.0\.1:\d+$/);
  });

  test("keeps the keys of a slot that moves", async () => {
    const client = cluster.client();
    const keys = Array.from({ length: 250 }, (_, index) => `{moving}-${index}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    const slot = await cluster.slotOf("{moving}");
    const from = await cluster.ownerOf(slot);

    const to = await cluster.moveSlotOf("{moving}");

    expect(to.id).not.toBe(from.id);
    expect((await cluster.ownerOf(slot)).id).toBe(to.id);
    expect(await to.admin.cluster("COUNTKEYSINSLOT", slot)).toBe(250);
    expect(await from.admin.cluster("COUNTKEYSINSLOT", slot)).toBe(0);
    expect(await client.mget(keys)).toEqual(keys);
  });

  test("sends clients to the new owner for what a half moved slot has moved already", async () => {
    const client = cluster.client();
    await client.mset("{half}a", "1", "{half}b", "2");
    const slot = await cluster.slotOf("{half}");
    const from = await cluster.ownerOf(slot);
    const to = cluster.masters.find(({ id }) => id !== from.id)!;

    const move = await cluster.openSlotMove(slot, to);
    expect(await move.moveKeys(1)).toBe(1);

    await expect(from.admin.mget("{half}a", "{half}b")).rejects.toThrow("TRYAGAIN");
    expect([await client.get("{half}a"), await client.get("{half}b")]).toEqual(["1", "2"]);
    await move.finish();
    expect(await client.mget("{half}a", "{half}b")).toEqual(["1", "2"]);
  });

  test("is healthy again after one of its masters crashed and came back", async () => {
    const client = cluster.client();
    await client.set("kept", "value");
    const owner = await cluster.ownerOf(await cluster.slotOf("kept"));

    await owner.server.kill();
    await owner.server.restart();
    await cluster.untilHealthy();

    expect(await cluster.client().get("kept")).toBe("value");
  });
});

test("a replica takes over from a master that crashed, slots still move, and the old master follows it", async () => {
  await using cluster = await startRedisCluster({ replicasPerMaster: 1, nodeTimeoutMs: 500 });
  const slot = await cluster.slotOf("key");
  const master = await cluster.ownerOf(slot);
  await master.admin.set("key", "value");
  await master.admin.wait(1, 5_000);

  const { killed, successor } = await cluster.replaceMaster(slot);
  const client = cluster.client();
  const value = await waitFor(() => client.get("key"), { what: "the new master to answer" });
  const others = (await cluster.currentMasters()).filter(({ id }) => id !== successor.id);
  const moved = await cluster.moveSlots([slot, slot + 2], others[0]!);
  const movedValue = await client.get("key");
  await killed.server.restart();
  await cluster.untilHealthy();

  expect(killed.id).toBe(master.id);
  expect(cluster.replicas).toContain(successor);
  expect([value, moved, movedValue]).toEqual(["value", 3, "value"]);
  expect(others).toHaveLength(2);
  expect((await cluster.ownerOf(slot + 2)).id).toBe(others[0]!.id);
  // It follows whoever took the last slot that it knew as its own.
  const heirs = [successor, others[0]!].map(({ server }) => server.port);
  expect(await killed.admin.role()).toEqual([
    "slave",
    "127.0.0.1",
    expect.toBeOneOf(heirs),
    expect.anything(),
    expect.anything(),
  ]);
});
