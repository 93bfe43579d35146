import { Cluster, Redis, type ClusterOptions, type RedisOptions } from "ioredis";

// Replies in their default mapping, which is also what the types of commands promise.
export type RedisClientOptions = Omit<RedisOptions, "replyMapping">;
export type RedisClusterClientOptions = Omit<ClusterOptions, "replyMapping" | "redisOptions">;

/** A client for tests that take servers down: back within 50 ms of their return, unless `options` say otherwise. */
export function openRedisClient(url: string, options: RedisClientOptions = {}): Redis {
  const client = new Redis(url, { retryStrategy: () => 50, ...options });
  ignoreLostConnections(client);
  return client;
}

/** As `openRedisClient`, for a cluster with these nodes among its own. */
export function openRedisClusterClient(
  startupNodes: readonly { host: string; port: number }[],
  options: RedisClusterClientOptions = {},
): Cluster {
  const client = new Cluster([...startupNodes], { clusterRetryStrategy: () => 50, ...options });
  ignoreLostConnections(client);
  return client;
}

/** Disconnects a client and waits until its socket is gone, so that it outlives neither its server nor its test. */
export async function closeRedisClient(client: Redis): Promise<void> {
  if (client.status === "end") return;
  const ended = new Promise((resolve) => client.once("end", resolve));
  const isBetweenConnections = client.status === "reconnecting";

  client.disconnect();
  if (isBetweenConnections) {
    // ioredis now neither says "end" nor fails the commands that wait; it does both when a connection is called off.
    client.connect().catch(() => {});
    client.disconnect();
  }
  await ended;
}

/** As `closeRedisClient`; commands that wait for a cluster that is down at that time never settle. */
export async function closeRedisClusterClient(client: Cluster): Promise<void> {
  const ended = new Promise((resolve) => client.once("end", resolve));
  const isConnected = client.status === "ready" || client.status === "connect";
  client.disconnect();
  // Without a connection there is no socket to wait for, and ioredis does not say "end".
  if (isConnected) await ended;
}

/**
 * Lost connections are part of these tests and show in the commands that fail; ioredis would print each of them if
 * nothing listened.
 */
function ignoreLostConnections(client: Redis | Cluster): void {
  client.on("error", () => {});
}
