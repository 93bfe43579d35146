import { afterAll, beforeAll } from "vitest";
import type { RedisServer } from "../support/redis-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { describeNodeStore } from "./node-store-suite.ts";
import { describeSessionStore } from "./session-store-suite.ts";
import { REDIS_DATABASES, redisPlaces } from "./store-place.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ config: { databases: String(REDIS_DATABASES) } });
});
afterAll(() => server.close());

const openPlace = redisPlaces(() => server);

describeSessionStore("Redis", openPlace);
describeNodeStore("Redis", openPlace);
