import type { Redis } from "ioredis";
import { closeRedisClient, openRedisClient } from "../support/redis-client.ts";
import { waitFor } from "../support/wait-for.ts";

const FAILOVER_TIMEOUT_MS = 30_000;

/** Waits until a replica has all that was written so far. */
export async function untilReplicated(admin: Redis): Promise<void> {
  const isReplicated = async () => {
    await admin.set("replicated", "yes");
    return (await admin.wait(1, 200)) === 1;
  };
  await waitFor(isReplicated, { what: "a replica to catch up", timeoutMs: FAILOVER_TIMEOUT_MS });
}

/** Makes the sentinel of that url look for replicas now, and soon notice when its master is down. */
export async function untilSentinelKnowsReplica(url: string): Promise<void> {
  const [, port = "", name = ""] = /:(\d+)\/(.+)$/.exec(url) ?? [];
  const sentinel = openRedisClient(`redis://127.0.0.1:${port}`);
  await sentinel.call("SENTINEL", "RESET", name);
  await sentinel.call("SENTINEL", "SET", name, "down-after-milliseconds", "500");
  const knowsReplica = async () =>
    ((await sentinel.call("SENTINEL", "REPLICAS", name)) as unknown[]).length > 0;
  await waitFor(knowsReplica, { what: "the sentinel to look", timeoutMs: FAILOVER_TIMEOUT_MS });
  await closeRedisClient(sentinel);
}
