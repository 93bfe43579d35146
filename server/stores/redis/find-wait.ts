import { Cluster } from "ioredis";
import type { Durability } from "../durability.ts";
import { DurabilityError } from "../durability.ts";
import type { RedisClient, RedisConnection } from "./connection.ts";
import { findDiskObstacle, LOG_SETTINGS } from "./log-on-disk.ts";
import { parseConfig } from "./server-facts.ts";

/**
 * The command whose reply tells whether what was written before it on its connection is as safe as asked for;
 * it waits for that where the server can.
 */
export type Wait = {
  command(timeoutMs: number): [name: string, ...args: (string | number)[]];
  isEnough(reply: unknown): boolean;
  /** Why a reply that is not enough is not. */
  describe(reply: unknown): string;
};

type Server = Pick<RedisClient, "call">;

/**
 * What the servers are asked before a change is acknowledged; undefined where that needs nothing.
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
      return waits.includes(true) ? WAIT_FOR_DISK : ASK_WHETHER_ALWAYS;
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

/**
 * Before 7.2 a server that is set up for it has its log on disk before each reply, and says so of no single one:
 * it is asked each time whether it is still set up so, since that may change at any moment.
 */
const ASK_WHETHER_ALWAYS: Wait = {
  command: () => ["CONFIG", "GET", LOG_SETTINGS],
  isEnough: (reply) => findDiskObstacle(parseConfig(reply), { hasWaitAof: false }) === undefined,
  describe: (reply) =>
    `it may not be on disk: ${findDiskObstacle(parseConfig(reply), { hasWaitAof: false })}`,
};

/** Whether the server has WAITAOF; false where it is old, and waits for the disk itself before each reply. */
async function canWaitForDisk(server: Server, durability: Durability): Promise<boolean> {
  const refusal = await findRefusal(server, ["WAITAOF", 1, 0, 1]);
  const isOlder = refusal !== undefined && /unknown command/i.test(refusal);
  if (refusal !== undefined && !isOlder) {
    throw new DurabilityError(durability, `the server cannot WAITAOF: ${refusal}`);
  }
  const hasWaitAof = !isOlder;
  const obstacle = findDiskObstacle(await readSettings(server), { hasWaitAof });
  if (obstacle !== undefined) throw new DurabilityError(durability, obstacle);
  return hasWaitAof;
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
    return parseConfig(await server.call("CONFIG", "GET", LOG_SETTINGS));
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
