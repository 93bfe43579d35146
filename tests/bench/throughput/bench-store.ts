import { startRedis } from "../../support/redis-server.ts";
import type { StoreKind, TestStore } from "../../support/service.ts";
import { openTestStore } from "../../support/service.ts";

/** An empty store; the pid of its server where it has one. */
export type BenchStore = TestStore & { redisPid: number | undefined };

export async function openBenchStore(kind: StoreKind): Promise<BenchStore> {
  if (kind === "sqlite") return { ...(await openTestStore(kind)), redisPid: undefined };
  const redis = await startRedis();
  return {
    url: redis.url,
    redisPid: redis.pid,
    [Symbol.asyncDispose]: () => redis.close(),
  };
}
