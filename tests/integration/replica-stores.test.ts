import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { predict } from "@kato-rpc/server/engine/index/predict.ts";
import { predictNaively } from "@kato-rpc/server/engine/naive/predict.ts";
import { NodeMemory } from "@kato-rpc/server/engine/node-memory.ts";
import type { NodeStore } from "@kato-rpc/server/stores/node-store.ts";
import type { OpenStore } from "@kato-rpc/server/stores/open-store.ts";
import { DEFAULT_SESSION_CONFIG } from "@kato-rpc/shared/session-config.ts";
import { learnAll, TAG } from "../contract/node-builders.ts";
import type { OpenPlace } from "../contract/store-place.ts";
import { openSqlitePlace, REDIS_DATABASES, redisPlaces } from "../contract/store-place.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { followerOf } from "../support/replica/follower.ts";
import type { Action } from "../support/replica/random-changes.ts";
import { action, changeOf } from "../support/replica/random-changes.ts";
import { expectSameMemory } from "../support/replica/same-memory.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ config: { databases: String(REDIS_DATABASES) } });
});
afterAll(() => server.close());

const play = fc.record({
  before: fc.array(action, { minLength: 10, maxLength: 30 }),
  between: fc.array(fc.array(action, { maxLength: 3 }), { minLength: 10, maxLength: 20 }),
});

const places: [kind: string, openPlace: OpenPlace][] = [
  ["SQLite", openSqlitePlace],
  ["Redis", redisPlaces(() => server)],
];

describe.each(places)("a node kept in %s", (_, openPlace) => {
  test("is loaded as it is while it changes, and followed from there", async () => {
    for (const { before, between } of fc.sample(play, { numRuns: 25, seed: 20_260_801 })) {
      await using place = await openPlace();
      const store = await place.open();
      const memory = new NodeMemory();
      for (const each of before) await perform(store, memory, each);
      const left = [...between];
      const nodes = inSmallPages(store.nodes, async () => {
        for (const each of left.shift() ?? []) await perform(store, memory, each);
      });
      const { follower, replica } = followerOf(nodes, TAG);

      for (let round = 0; round < 4; round += 1) {
        await follower.catchUp();

        expectSameMemory(replica(), memory);
        const settings = { ...DEFAULT_SESSION_CONFIG, recallThreshold: 0, affinityEmotive: "joy" };
        const stm = [["a", "b"], ["c"]];
        expect(predict(replica(), stm, settings)).toEqual(predictNaively(memory, stm, settings));
      }
    }
  });
});

async function perform(store: OpenStore, memory: NodeMemory, action: Action): Promise<void> {
  const change = changeOf(
    action,
    Array.from(memory.patterns(), ({ hash }) => hash),
  );
  if (change === undefined) return;
  memory.apply(structuredClone(change));
  if (change.kind === "learn" || change.kind === "index-vectors") await learnAll(store, [change]);
  else await store.nodes.change(TAG, change);
}

/** The same nodes, in pages of few rows, and something done before every read. */
function inSmallPages(nodes: NodeStore, beforeRead: () => Promise<void>): NodeStore {
  return {
    async readLog(...read) {
      await beforeRead();
      return nodes.readLog(...read);
    },
    async readHead(tag) {
      await beforeRead();
      return nodes.readHead(tag);
    },
    async readRows(tag, kind, { cursor }) {
      await beforeRead();
      return nodes.readRows(tag, kind, { cursor, limit: 4 });
    },
    readTotals: (tag) => nodes.readTotals(tag),
    findPattern: (tag, hash) => nodes.findPattern(tag, hash),
    listPatterns: (tag, page) => nodes.listPatterns(tag, page),
    findSymbols: (tag, symbols) => nodes.findSymbols(tag, symbols),
    listSymbols: (tag, page) => nodes.listSymbols(tag, page),
    change: (tag, mutation) => nodes.change(tag, mutation),
  };
}
