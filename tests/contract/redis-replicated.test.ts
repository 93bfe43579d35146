import { afterAll, beforeAll } from "vitest";
import type { ReplicatedRedis } from "../support/redis-replica.ts";
import { startReplicatedRedis } from "../support/redis-replica.ts";
import { describeNodeStore } from "./node-store-suite.ts";
import { describeSessionStore } from "./session-store-suite.ts";
import { REDIS_DATABASES, redisPlaces } from "./store-place.ts";

let redis: ReplicatedRedis;
beforeAll(async () => {
  redis = await startReplicatedRedis({ config: { databases: String(REDIS_DATABASES) } });
});
afterAll(() => redis[Symbol.asyncDispose]());

const openPlace = redisPlaces(() => redis.master.server, {
  durability: { kind: "replicated", replicas: 1 },
});

describeSessionStore("Redis with a replica to wait for", openPlace);
describeNodeStore("Redis with a replica to wait for", openPlace);
