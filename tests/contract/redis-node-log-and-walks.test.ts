import { expect, test } from "vitest";
import { LOG_START } from "../../server/stores/node-store.ts";
import { startRedis } from "../support/redis-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { AB, BC, indexOf, learnAll, learnOf, readNode, TAG, walkRows } from "./node-builders.ts";
import { openStoreAt } from "./store-place.ts";

test("a walk goes on when the server was started anew, and misses no row", async () => {
  await using redis = await startRedis({ appendOnly: "always" });
  await using store = await openStoreAt(redis.url);
  const names = Array.from({ length: 3_000 }, (_, i) => `v${i}`);
  await learnAll(store, [indexOf(...names.map((name, i) => ({ name, vector: [i] })))]);
  const first = await store.nodes.readRows(TAG, "vectors", { cursor: null, limit: 1_000 });

  await redis.restart();
  const found = new Set(first.rows.map(([name]) => name));
  for (let cursor = first.nextCursor; cursor !== null;) {
    const from = cursor;
    const page = await waitFor(
      () => store.nodes.readRows(TAG, "vectors", { cursor: from, limit: 1_000 }),
      { what: "the server" },
    );
    for (const [name] of page.rows) found.add(name);
    cursor = page.nextCursor;
  }

  expect(found.size).toBe(names.length);
});

test("a node is the same after its server was started anew", async () => {
  await using redis = await startRedis({ appendOnly: "always" });
  await using store = await openStoreAt(redis.url);
  const { nodes } = store;
  const emotives = [{ joy: 0.1 }, { joy: 1e-320 }];
  await learnAll(store, [learnOf(AB, { emotives }), learnOf(BC), learnOf(AB, { emotives })]);
  await nodes.change(TAG, { kind: "finalize" });
  await nodes.change(TAG, { kind: "forget", hash: learnOf(BC).hash });
  const [before, log] = [await readNode(nodes), await nodes.readLog(TAG, LOG_START, 9)];

  await redis.kill();
  await redis.restart();

  expect(await waitFor(() => readNode(nodes), { what: "the server" })).toEqual(before);
  expect(await nodes.readLog(TAG, LOG_START, 9)).toEqual(log);
});

test("a walk meets every row that stands all the while, whatever comes and goes meanwhile", async () => {
  await using redis = await startRedis();
  await using store = await openStoreAt(redis.url);
  const learn = (from: number, count: number) =>
    learnAll(
      store,
      Array.from({ length: count }, (_, i) =>
        learnOf([[`s${from + i}`], ["all"]], { emotives: [{ joy: i }] }),
      ),
    );
  await learn(0, 2_000);
  const found = { patterns: new Set<string>(), affinities: new Set<string>() };

  for (const kind of ["patterns", "affinities"] as const) {
    for (let cursor: string | null = null, page = 1; ; page += 1) {
      const { rows, nextCursor }: Awaited<ReturnType<typeof store.nodes.readRows>> =
        await store.nodes.readRows(TAG, kind, { cursor, limit: 100 });
      for (const [name] of rows) found[kind].add(name);
      if (nextCursor === null) break;
      cursor = nextCursor;
      // Enough to make Redis rebuild its tables in between.
      if (page < 20) await learn(10_000 * page, 500);
    }
  }

  const standing = Array.from({ length: 2_000 }, (_, i) => i);
  expect(standing.filter((i) => !found.affinities.has(`s${i}`))).toEqual([]);
  const hashOf = (i: number) => learnOf([[`s${i}`], ["all"]]).hash;
  expect(standing.filter((i) => !found.patterns.has(hashOf(i)))).toEqual([]);
  const rows = await walkRows(store.nodes, "patterns", { limit: 777 });
  expect(rows).toHaveLength((await store.nodes.readTotals(TAG)).patterns);
});

test("the log is followed by a worker that keeps pace, and says so to one that fell behind", async () => {
  await using redis = await startRedis();
  await using store = await openStoreAt(redis.url);
  const relearn = (count: number) =>
    learnAll(
      store,
      Array.from({ length: count }, () => learnOf([["a"], ["b"]])),
    );
  await relearn(3);
  const [, second] = (await store.nodes.readLog(TAG, LOG_START, 9)) ?? [];
  const head = async () => (await store.nodes.readHead(TAG)).position;
  const third = await head();

  await relearn(10_000);

  expect(await store.nodes.readLog(TAG, second!.position, 9)).toBe(undefined);
  expect(await store.nodes.readLog(TAG, third, 9)).toBe(undefined);
  expect(await store.nodes.readLog(TAG, LOG_START, 9)).toBe(undefined);
  const admin = redis.client();
  const kept = await admin.xlen(`kato:{${TAG}}:log`);
  expect(kept).toBeGreaterThanOrEqual(4_096);
  expect(kept).toBeLessThan(5_000);
  const last = await head();
  expect(await store.nodes.readLog(TAG, last, 9)).toEqual([]);
  const [number, mark] = last.split("-").map(Number);
  expect(await store.nodes.readLog(TAG, `${number}-${(mark! + 1) % 2 ** 32}`, 9)).toBe(undefined);
});
