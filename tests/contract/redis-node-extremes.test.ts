import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NodeMutation } from "../../server/stores/node-store.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { ModelNode } from "./model-node.ts";
import { followLog, learnAll, learnOf, readNode, replayLog, TAG } from "./node-builders.ts";
import { REDIS_DATABASES, redisPlaces } from "./store-place.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ config: { databases: String(REDIS_DATABASES) } });
});
afterAll(() => server.close());

const openPlace = redisPlaces(() => server);

/** Names that a script, a line of text or an object might trip over. */
const NASTY = [
  "",
  " ",
  "\0",
  "\n",
  "1 2\n3 4",
  '"',
  "\\",
  "\\n",
  "\u2028",
  "\u007f",
  "__proto__",
  "constructor",
  "nan",
  "inf",
  "0",
  "-0",
  "1e3",
  "😀",
  "é",
  ":{}*",
  "kato:{x}:log",
  '","',
  "[]",
  "%s%d",
];

/** Doubles of every size, and those at the ends of their range. */
const AMOUNTS = [0.1, 0.2, 5e-324, 1e-320, 2 ** -1022, Number.MAX_VALUE, -Number.MAX_VALUE, 1e22];

describe("long-term memory in Redis", () => {
  test("takes any name and any number, bit for bit", async () => {
    await using place = await openPlace();
    const store = await place.open();
    const model = new ModelNode();
    const byName = <Value>(value: (i: number) => Value) =>
      Object.assign(
        Object.create(null),
        Object.fromEntries(NASTY.map((name, i) => [name, value(i)])),
      ) as Record<string, Value>;
    const emotives = AMOUNTS.map((_, a) => byName((i) => AMOUNTS[(a + i) % AMOUNTS.length]!));
    const metadata = NASTY.map((text) => byName(() => text));
    const vectors = NASTY.map((name, i) => ({ name, vector: [i / 3, 1e39, -2.5e-7] }));
    const [one, two] = [
      learnOf([NASTY, ["a"]], { emotives, metadata, vectors, persistence: 100 }),
      learnOf([["b"], NASTY.toReversed()], { emotives: emotives.slice(1), persistence: 3 }),
    ];
    const corrected = { emotives, metadata: byName(() => ["\n", "[", "\u{1F600}"]), frequency: 3 };

    for (const learns of [[one], [two, one], [two], [one]]) {
      expect(await learnAll(store, learns)).toEqual(model.applyAll(learns));
    }
    expect(await readNode(store.nodes)).toEqual(model.contents());

    for (const mutation of [
      { kind: "finalize" },
      { kind: "correct", hash: two.hash, ...corrected },
      { kind: "forget", hash: one.hash },
    ] satisfies NodeMutation[]) {
      await store.nodes.change(TAG, mutation);
      model.apply(mutation);
      expect(await readNode(store.nodes, { limit: 7 })).toEqual(model.contents());
    }
    expect(replayLog(await followLog(store.nodes)).contents()).toEqual(model.contents());
  });

  test("holds a pattern of thousands of symbols, and a commit of thousands of learns", async () => {
    await using place = await openPlace();
    const store = await place.open();
    const model = new ModelNode();
    const events = Array.from({ length: 3 }, (_, e) =>
      Array.from({ length: 3_500 }, (_, i) => `symbol ${i + e * 1_000}`),
    );
    const huge = learnOf(events, {
      emotives: [{ joy: 0.1, fear: -0.2 }],
      vectors: Array.from({ length: 2_500 }, (_, i) => ({ name: `v${i}`, vector: [i] })),
    });
    const many = Array.from({ length: 10_000 }, (_, i) =>
      learnOf([[`symbol ${i % 3_000}`], [`${i % 7_000}`]], { emotives: [{ joy: i / 10 }] }),
    );

    for (const learns of [[huge, huge], many]) {
      expect(await learnAll(store, learns)).toEqual(model.applyAll(learns));
    }
    for (const mutation of [
      { kind: "correct", hash: huge.hash, frequency: 9 },
      { kind: "finalize" },
      { kind: "forget", hash: huge.hash },
    ] satisfies NodeMutation[]) {
      await store.nodes.change(TAG, mutation);
      model.apply(mutation);
    }

    expect(await readNode(store.nodes)).toEqual(model.contents());
  });
});
