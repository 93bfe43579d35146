import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { Cluster } from "ioredis";
import type { Config } from "../../config.ts";
import { RedisConnection } from "../../stores/redis/connection.ts";
import type { HostPort, RedisAddress } from "../../stores/store-address.ts";
import type { Check } from "./check.ts";
import { fail, worstOf } from "./check.ts";
import { checkCluster } from "./redis-cluster.ts";
import { checkDurability } from "./check-durability.ts";
import { checkSentinels } from "./check-sentinels.ts";
import { readRedisFacts } from "./read-redis-facts.ts";
import {
  checkClock,
  checkConnections,
  checkEviction,
  checkLatency,
  checkPermissions,
  checkRole,
  checkVersion,
} from "./redis-checks.ts";
import type { RedisFacts } from "./redis-facts.ts";
import { checkPersistence } from "./redis-persistence.ts";

/** Long enough for a failover to be noticed, short enough to wait for. */
const TIMEOUT_MS = 3_000;

/** Everything about a Redis, a Sentinel group or a Cluster that the service depends on. Writes nothing. */
export async function checkRedis(address: RedisAddress, config: Config): Promise<Check[]> {
  const checks: Check[] = [];
  if (address.topology === "sentinel") {
    const sentinels = await checkSentinels(address, openNode);
    if (sentinels.status === "fail") return [sentinels];
    checks.push(sentinels);
  }
  const connection = openConnection(address);
  try {
    const facts = await readAllFacts(connection, address);
    checks.push(...judge(facts, address, config));
    checks.push(await checkDurability(connection, facts, config.durability));
  } catch (error) {
    checks.push(unreachable(await explain(error, address)));
  } finally {
    await connection.close();
  }
  return checks;
}

/** By server: of a cluster each master, else the one there is. */
async function readAllFacts(
  connection: RedisConnection,
  address: RedisAddress,
): Promise<ReadonlyMap<string, RedisFacts>> {
  if (!(connection.client instanceof Cluster)) {
    return new Map([["", await readRedisFacts(connection)]]);
  }
  await connection.run((client) => client.ping());
  const facts = new Map<string, RedisFacts>();
  for (const { options } of connection.client.nodes("master")) {
    const at = { host: options.host ?? "", port: options.port ?? 0 };
    const node = openNode(address, at);
    try {
      facts.set(`${at.host}:${at.port}`, await readRedisFacts(node));
    } finally {
      await node.close();
    }
  }
  return facts;
}

function judge(
  facts: ReadonlyMap<string, RedisFacts>,
  { topology }: RedisAddress,
  { workers }: Config,
): Check[] {
  const judges: ((facts: RedisFacts) => Check)[] = [
    checkLatency,
    checkVersion,
    (one) => checkRole(one, topology),
    checkPersistence,
    checkEviction,
    checkPermissions,
    (one) => checkConnections(one, workers),
    checkClock,
  ];
  if (topology === "cluster") judges.push(checkCluster);
  return judges.flatMap((check) => {
    const worst = worstOf(new Map(Array.from(facts, ([server, one]) => [server, check(one)])));
    return worst ?? [];
  });
}

function openConnection(address: RedisAddress): RedisConnection {
  return new RedisConnection(address, { timeoutMs: TIMEOUT_MS, onError: () => undefined });
}

/** One server of the group alone. */
function openNode(address: RedisAddress, at: HostPort): RedisConnection {
  return openConnection({ ...address, topology: "single", hosts: [at], database: 0 });
}

/** Why a server could not be asked, in the driver's words, which hold no credentials. */
async function explain(error: unknown, address: RedisAddress): Promise<string> {
  if (address.topology === "cluster") {
    // Of a node that cannot be reached the cluster's client says only that its connection is closed.
    const node = openNode(address, address.hosts[0]);
    try {
      await node.run((client) => client.ping());
    } catch (nodeError) {
      return reasonOf(nodeError);
    } finally {
      await node.close();
    }
  }
  return reasonOf(error);
}

function reasonOf(error: unknown): string {
  const reason = error instanceof ServiceError ? (error.cause ?? error) : error;
  if (!(reason instanceof Error)) return String(reason);
  const { lastNodeError } = reason as { lastNodeError?: unknown };
  return lastNodeError instanceof Error ? lastNodeError.message : reason.message;
}

function unreachable(reason: string): Check {
  return fail("reachable", `no: ${reason}`, adviceFor(reason));
}

function adviceFor(reason: string): string {
  if (/NOAUTH|WRONGPASS|NOPERM/.test(reason)) {
    return "check user and password in KATO_STORE: redis://USER:PASSWORD@HOST:PORT";
  }
  if (/cluster support disabled/.test(reason)) return "this is no cluster: use redis://HOST:PORT";
  return "check host and port in KATO_STORE, that the server runs, and the firewall between";
}
