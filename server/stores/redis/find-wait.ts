import { Cluster } from "ioredis";
import type { Durability } from "../durability.ts";
import { DurabilityError } from "../durability.ts";
import type { RedisClient, RedisConnection } from "./connection.ts";
import { parseConfig } from "./server-facts.ts";

/** The command that waits until what was written before it on its connection is as safe as asked for. */
export type Wait = {
  command(timeoutMs: number): [name: string, ...args: number[]];
  isEnough(reply: unknown): boolean;
  /** Why a reply that is not enough is not. */
  describe(reply: unknown): string;
};

type Server = Pick<RedisClient, "call">;

/**
 * What the servers wait with; undefined where each reply says already what is asked for.
 *
 * @throws DurabilityError when a server cannot give what is asked for
 * @throws ServiceError STORE_UNAVAILABLE when one cannot be asked now
 */
export async function findWait(
  connection: RedisConnection,
  durability: Durability,
): Promise<Wait | undefined> {
  switch (durability.kind) {
    case "fast":
      return undefined;
    case "replicated":
      await onEveryMaster(connection, async (server) => {
        const refusal = await findRefusal(server, ["WAIT", 0, 1]);
        if (refusal === undefined) return;
        throw new DurabilityError(durability, `the server cannot WAIT for replicas: ${refusal}`);
      });
      return waitForReplicas(durability.replicas);
    case "fsync": {
      const waits = await onEveryMaster(connection, (server) => canWaitForDisk(server, durability));
      return waits.includes(true) ? WAIT_FOR_DISK : undefined;
    }
  }
}

function waitForReplicas(replicas: number): Wait {
  return {
    command: (timeoutMs) => ["WAIT", replicas, timeoutMs],
    isEnough: (reply) => Number(reply) >= replicas,
    describe: (reply) => `only ${Number(reply)} of ${replicas} replicas have it so far`,
  };
}

const WAIT_FOR_DISK: Wait = {
  command: (timeoutMs) => ["WAITAOF", 1, 0, timeoutMs],
  isEnough: (reply) => Array.isArray(reply) && Number(reply[0]) >= 1,
  describe: () => "it is not on disk so far",
};

/** Whether to wait for the disk; false where Redis does so itself before each reply. */
async function canWaitForDisk(server: Server, durability: Durability): Promise<boolean> {
  const refusal = await findRefusal(server, ["WAITAOF", 1, 0, 1]);
  const isOlder = refusal !== undefined && /unknown command/i.test(refusal);
  if (refusal !== undefined && !isOlder) {
    throw new DurabilityError(durability, `the server cannot WAITAOF: ${refusal}`);
  }
  const settings = await readSettings(server);
  const sync = settings?.get("appendfsync");
  if (!isOlder) {
    if (sync !== "no") return true;
    throw new DurabilityError(
      durability,
      "appendfsync is no, so that nothing is ever known to be on disk: set always, or everysec",
    );
  }
  requireAlways(settings, durability);
  return false;
}

/** @throws DurabilityError unless the server itself waits for the disk before each reply, whatever else it does */
function requireAlways(
  settings: ReadonlyMap<string, string> | undefined,
  durability: Durability,
): void {
  const refuse = (reason: string) => new DurabilityError(durability, reason);
  const older = "this Redis is older than 7.2 and has no WAITAOF";
  if (settings === undefined) {
    throw refuse(`${older}, and does not permit CONFIG GET, which would tell appendfsync`);
  }
  if (settings.get("appendonly") !== "yes") throw refuse("appendonly is no: set appendonly yes");
  const sync = settings.get("appendfsync");
  if (sync !== "always") throw refuse(`${older}, and appendfsync is ${sync}: set always`);
  if (settings.get("no-appendfsync-on-rewrite") === "yes") {
    throw refuse(
      `${older}, and no-appendfsync-on-rewrite is yes, so that a rewrite of the log suspends always: set no`,
    );
  }
}

/** Why the server refuses the command, for as long as it is set up as it is; undefined if it takes it. */
async function findRefusal(
  server: Server,
  [name, ...args]: [name: string, ...args: number[]],
): Promise<string | undefined> {
  try {
    await server.call(name, ...args);
    return undefined;
  } catch (error) {
    // A server that is busy with something else, as one is that was a master until now, says nothing of its settings.
    if (!isReply(error) || PASSING.test(error.message)) throw error;
    return error.message;
  }
}

const PASSING = /replica instances|^(READONLY|LOADING|MASTERDOWN|NOAUTH|WRONGPASS)/;

async function readSettings(server: Server): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    return parseConfig(await server.call("CONFIG", "GET", "*append*"));
  } catch (error) {
    if (isReply(error)) return undefined;
    throw error;
  }
}

/** Of a cluster each master. */
async function onEveryMaster<T>(
  connection: RedisConnection,
  work: (server: Server) => Promise<T>,
): Promise<T[]> {
  return connection.run(async (client) =>
    client instanceof Cluster
      ? Promise.all(client.nodes("master").map(work))
      : [await work(client)],
  );
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}
