import { Cluster } from "ioredis";
import type { Durability, DurabilityState } from "../durability.ts";
import { describeDurability } from "../durability.ts";
import type { RedisClient, RedisConnection } from "./connection.ts";
import { findDiskObstacle, LOG_SETTINGS } from "./log-on-disk.ts";
import type { ServerFacts } from "./server-facts.ts";
import { parseConfig, parseInfo } from "./server-facts.ts";

/** For so long an answer serves all who ask: settings change seldom, and a walk over a cluster costs. */
const KEPT_MS = 2_000;

/** What the connected servers, of a cluster each master, can be relied on for. */
export class RedisDurability {
  readonly #connection: RedisConnection;
  readonly #durability: Durability;
  #asked: { at: number; state: Promise<DurabilityState> } | undefined;

  constructor(connection: RedisConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
  }

  /** At most some seconds old. @throws ServiceError STORE_UNAVAILABLE */
  read(): Promise<DurabilityState> {
    const now = performance.now();
    if (this.#asked !== undefined && now - this.#asked.at < KEPT_MS) return this.#asked.state;
    const asked = { at: now, state: this.#ask() };
    this.#asked = asked;
    asked.state.catch(() => {
      if (this.#asked === asked) this.#asked = undefined;
    });
    return asked.state;
  }

  async #ask(): Promise<DurabilityState> {
    const facts = await this.#connection.run((client) =>
      Promise.all((client instanceof Cluster ? client.nodes("master") : [client]).map(readFacts)),
    );
    const distinct = (texts: string[]) => [...new Set(texts)];
    return {
      setting: describeDurability(this.#durability),
      window: distinct(facts.map((one) => describeWindow(one, this.#durability))).join(
        "; on another master: ",
      ),
      warnings: distinct(facts.flatMap((one) => findWarnings(one, this.#durability))),
    };
  }
}

async function readFacts(server: Pick<RedisClient, "call">): Promise<ServerFacts> {
  const [info, config] = await Promise.all([
    permitted(server.call("INFO", "everything")),
    permitted(server.call("CONFIG", "GET", LOG_SETTINGS)),
  ]);
  return {
    info: typeof info === "string" ? parseInfo(info) : undefined,
    config: config === undefined ? undefined : parseConfig(config),
  };
}

/** undefined where the server refuses to answer. */
async function permitted(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError") return undefined;
    throw error;
  }
}

/** What of the acknowledged is lost by a crash of the server or its machine, and by a failover. */
export function describeWindow(facts: ServerFacts, durability: Durability): string {
  const crash = describeCrash(facts);
  switch (durability.kind) {
    case "fast":
      return `${crash}; a failover may lose what the replica had not received yet`;
    case "fsync": {
      const failover = "a failover may lose what the replica had not received yet";
      if (findObstacle(facts) === undefined) {
        return `a crash of Redis or of its machine loses nothing; ${failover}`;
      }
      return `nothing is acknowledged now, and ${crash}; ${failover}`;
    }
    case "replicated": {
      const { replicas } = durability;
      const them = replicas === 1 ? "a replica has" : `${replicas} replicas have`;
      return `${them} all of it: a failover to one that has loses nothing; without failover ${crash}`;
    }
  }
}

function describeCrash({ info, config }: ServerFacts): string {
  const isAppending = info?.get("aof_enabled") ?? config?.get("appendonly");
  if (isAppending === undefined)
    return "what a crash of Redis loses is unknown: it permits no INFO";
  if (isAppending !== "1" && isAppending !== "yes") {
    return "a crash of Redis loses everything since its last snapshot, if there is one";
  }
  switch (config?.get("appendfsync")) {
    case "always":
      return "a crash of Redis or of its machine loses nothing";
    case "everysec":
      return "a crash of Redis or of its machine may lose the last second or two";
    case "no":
      return "a power cut may lose what the system had not written yet, some 30 seconds";
    default:
      return "a crash of Redis or of its machine may lose what its appendfsync, which it does not tell, leaves";
  }
}

/** What endangers the acknowledged whatever the setting, and what keeps changes from being acknowledged. */
export function findWarnings(facts: ServerFacts, durability: Durability): string[] {
  const { info } = facts;
  const warnings: string[] = [];
  const policy = info?.get("maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction") {
    warnings.push(
      `maxmemory-policy is ${policy}: Redis drops what was acknowledged when memory runs out; set noeviction`,
    );
  }
  const shortage = describeShortage(facts, durability);
  if (shortage !== undefined) warnings.push(`KATO_DURABILITY=${shortage}`);
  const obstacle = durability.kind === "fsync" ? findObstacle(facts) : undefined;
  if (obstacle !== undefined) {
    warnings.push(`KATO_DURABILITY=fsync: no change is acknowledged: ${obstacle}`);
  }
  return warnings;
}

/** Why the server's log is not known to be on disk. */
function findObstacle({ info, config }: ServerFacts): string | undefined {
  const [major = 0, minor = 0] = (info?.get("redis_version") ?? "").split(".").map(Number);
  // Where it does not tell, changes say what is amiss.
  const hasWaitAof = info === undefined || major > 7 || (major === 7 && minor >= 2);
  return findDiskObstacle(config, { hasWaitAof });
}

/** undefined with replicas enough, and where the server does not tell. */
export function describeShortage(
  { info }: ServerFacts,
  durability: Durability,
): string | undefined {
  const connected = Number(info?.get("connected_slaves"));
  if (durability.kind !== "replicated" || !(connected < durability.replicas)) return undefined;
  const setting = describeDurability(durability);
  return `${setting} with ${connected} of ${durability.replicas} replicas connected: no change is acknowledged`;
}
