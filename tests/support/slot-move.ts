import type { Redis } from "ioredis";
import type { ClusterNode } from "./redis-cluster.ts";
import { waitFor } from "./wait-for.ts";

/** Keys moved per MIGRATE. */
const BATCH_SIZE = 100;
const MIGRATE_TIMEOUT_MS = 5_000;

/** The four steps of a live migration, from https://redis.io/docs/latest/commands/cluster-setslot/. */
export interface SlotMove {
  /** Moves at most `limit` keys, and gives how many it moved. */
  moveKeys(limit: number): Promise<number>;
  /** Moves the keys that are left, hands the slot over, and waits until all masters agree on its new owner. */
  finish(): Promise<void>;
}

export interface SlotMoveOptions {
  slot: number;
  from: ClusterNode;
  to: ClusterNode;
  /** All masters, told of the new owner at the end. */
  masters: readonly ClusterNode[];
}

/** Marks a slot as moving: from here on its owner sends clients to the new one for keys it does not have. */
export async function openSlotMove({
  slot,
  from,
  to,
  masters,
}: SlotMoveOptions): Promise<SlotMove> {
  if (from.id === to.id)
    throw new Error(`slot ${slot} is on the node of port ${to.server.port} already`);
  await to.admin.call("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id);
  await from.admin.call("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id);

  const moveKeys = async (limit: number): Promise<number> => {
    const keys = await from.admin.cluster("GETKEYSINSLOT", slot, limit);
    if (keys.length > 0) await migrate(from.admin, to, keys);
    return keys.length;
  };

  const finish = async (): Promise<void> => {
    while ((await moveKeys(BATCH_SIZE)) > 0);

    // The new owner first: the old one would else send clients to a node that does not own the slot yet.
    const others = masters.filter(({ id }) => id !== to.id && id !== from.id);
    for (const { admin } of [to, from, ...others])
      await admin.call("CLUSTER", "SETSLOT", slot, "NODE", to.id);
    for (const { admin, server } of masters) {
      await waitFor(async () => (await findSlotOwner(admin, slot)) === to.id, {
        what: `the node of port ${server.port} to know the new owner of slot ${slot}`,
      });
    }
  };

  return { moveKeys, finish };
}

/** The id of the master that serves a slot in the view of one node; undefined when none does. */
export async function findSlotOwner(admin: Redis, slot: number): Promise<string | undefined> {
  const ranges = await admin.cluster("SLOTS");
  const range = ranges.find(([first, last]) => first <= slot && slot <= last);
  const [, , master] = range ?? [];
  return master?.[2];
}

async function migrate(
  admin: Redis,
  to: ClusterNode,
  keys: readonly (string | Buffer)[],
): Promise<void> {
  const { host, port } = to.server;
  await admin.call("MIGRATE", host, port, "", 0, MIGRATE_TIMEOUT_MS, "KEYS", ...keys);
}
