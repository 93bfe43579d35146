import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { RedisClient, RedisConnection } from "../../stores/redis/connection.ts";
import { parseConfig, parseInfo } from "../../stores/redis/server-facts.ts";
import { requireReadiness } from "../../stores/redis/scripts.ts";
import type { RedisFacts } from "./redis-facts.ts";
import { parseTimeMs } from "./redis-facts.ts";

const PINGS = 5;

/** Asks one server everything that the checks need. @throws ServiceError STORE_UNAVAILABLE */
export async function readRedisFacts(connection: RedisConnection): Promise<RedisFacts> {
  const latencyMs = await measureLatencyMs(connection);
  const infoText = await permitted(connection, (client) => client.info("everything"));
  const info = infoText === undefined ? undefined : parseInfo(infoText);
  const config = await permitted(connection, (client) =>
    client.call("CONFIG", "GET", "*append*", "save"),
  );
  const sentAt = Date.now();
  const time = await permitted(connection, (client) => client.time());
  const midway = (sentAt + Date.now()) / 2;
  return {
    latencyMs,
    info,
    config: config === undefined ? undefined : parseConfig(config),
    cluster: await readClusterInfo(connection, info),
    forbidden: await findForbidden(connection),
    clockAheadMs: time === undefined ? undefined : parseTimeMs(time) - midway,
  };
}

async function readClusterInfo(
  connection: RedisConnection,
  info: RedisFacts["info"],
): Promise<RedisFacts["cluster"]> {
  if (info?.get("cluster_enabled") === "0") return undefined;
  const text = await permitted(connection, (client) => client.cluster("INFO"));
  return text === undefined ? undefined : parseInfo(text);
}

async function findForbidden(connection: RedisConnection): Promise<string | undefined> {
  try {
    await connection.run(requireReadiness);
    return undefined;
  } catch (error) {
    const reply = error instanceof ServiceError ? error.cause : error;
    if (!(reply instanceof Error) || reply.name !== "ReplyError") throw error;
    return reply.message.startsWith("NOPERM") ? reply.message : undefined;
  }
}

/** The median of a few round trips. */
async function measureLatencyMs(connection: RedisConnection): Promise<number> {
  await connection.run((client) => client.ping());
  const times: number[] = [];
  for (let i = 0; i < PINGS; i++) {
    const start = performance.now();
    await connection.run((client) => client.ping());
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[PINGS >> 1] ?? 0;
}

/** The answer, or undefined where the server refuses to give one; a lost connection still throws. */
async function permitted<T>(
  connection: RedisConnection,
  ask: (client: RedisClient) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await connection.run(ask);
  } catch (error) {
    const cause = error instanceof ServiceError ? error.cause : error;
    if (cause instanceof Error && cause.name === "ReplyError") return undefined;
    throw error;
  }
}
