import type { Durability, DurabilityState } from "./durability.ts";
import { FAST } from "./durability.ts";
import type { FleetRegistry } from "./fleet-registry.ts";
import type { NodeStore } from "./node-store.ts";
import type { Moment, Retention, SessionStore } from "./session-store.ts";
import type { RedisAddress, StoreAddress } from "./store-address.ts";

/** A store of any kind, opened once per process; `close` it last. */
export type OpenStore = {
  sessions: SessionStore;
  nodes: NodeStore;
  fleet: FleetRegistry;
  /** Clears away a little of what has expired; gives whether there may be more. Absent where that happens by itself. */
  tidy?: (nowMs: Moment) => Promise<boolean>;
  /** What the store can be relied on for now, asked of its servers. @throws ServiceError STORE_UNAVAILABLE */
  durability(): Promise<DurabilityState>;
  close(): Promise<void>;
};

export type StoreRules = {
  retention: Retention;
  /** Within this every operation ends. */
  timeoutMs: number;
  /** At once unless told otherwise. */
  durability?: Durability;
  /** Hears of every failed attempt to connect, and of a SQLite file's log that cannot be copied. */
  onConnectionError(error: Error): void;
};

/**
 * Opens the store without waiting for a server to answer, unless one must be asked whether it can give the
 * durability wanted, and can be reached. Only the drivers of the kind asked for are loaded.
 *
 * @throws Error when a SQLite file cannot be opened
 * @throws DurabilityError when the store cannot give the durability
 */
export async function openStore(address: StoreAddress, rules: StoreRules): Promise<OpenStore> {
  if (address.kind === "sqlite") {
    const { SqliteDatabase } = await import("./sqlite/database.ts");
    const { SqliteSessionStore } = await import("./sqlite/sqlite-session-store.ts");
    const { SqliteNodeStore } = await import("./sqlite/sqlite-node-store.ts");
    const { SqliteFleetRegistry } = await import("./sqlite/sqlite-fleet-registry.ts");
    const { sqliteDurability } = await import("./sqlite/sqlite-durability.ts");
    const { durability = FAST, timeoutMs, onConnectionError: onTrouble } = rules;
    const { synchronous, state } = sqliteDurability(durability);
    const database = SqliteDatabase.open(address.path, { timeoutMs, synchronous, onTrouble });
    const sessions = new SqliteSessionStore(database, rules.retention);
    const nodes = new SqliteNodeStore(database, rules.retention);
    const fleet = new SqliteFleetRegistry(database);
    return {
      sessions,
      nodes,
      fleet,
      tidy: (nowMs: Moment) => sessions.tidy(nowMs),
      durability: () => Promise.resolve(state),
      close: () => sessions.close(),
    };
  }
  return openRedisStore(address.address, rules);
}

async function openRedisStore(address: RedisAddress, rules: StoreRules): Promise<OpenStore> {
  const { RedisConnection } = await import("./redis/connection.ts");
  const { RedisSessionStore } = await import("./redis/redis-session-store.ts");
  const { RedisNodeStore } = await import("./redis/redis-node-store.ts");
  const { RedisFleetRegistry } = await import("./redis/redis-fleet-registry.ts");
  const { Confirmation } = await import("./redis/confirmation.ts");
  const { ConfirmedScripts } = await import("./redis/confirmed-scripts.ts");
  const { RedisDurability } = await import("./redis/redis-durability.ts");
  const { durability = FAST, timeoutMs, onConnectionError: onError } = rules;
  const connect = () => new RedisConnection(address, { timeoutMs, onError });
  const connection = connect();
  connection.connect();
  const confirmation =
    durability.kind === "fast" ? undefined : new Confirmation(connect(), timeoutMs);
  const scripts = new ConfirmedScripts(connection, confirmation, { durability, timeoutMs });
  const sessions = new RedisSessionStore(connection, scripts, rules.retention);
  const state = new RedisDurability(connection, durability);
  const close = async () => {
    await sessions.close();
    await confirmation?.close();
  };
  try {
    await scripts.check();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    sessions,
    nodes: new RedisNodeStore(connection, scripts, rules.retention),
    fleet: new RedisFleetRegistry(connection),
    durability: () => state.read(),
    close,
  };
}

/** Ids whose replies are remembered, of each session and each node, and for how long. */
export const IDEMPOTENCY_WINDOW = { ids: 1_024, seconds: 3_600 };

/** Emotives and metadata kept per session (sessions.md §1), and what is remembered of calls. */
export function retentionOf(stmLimit: number, window = IDEMPOTENCY_WINDOW): Retention {
  const { ids, seconds } = window;
  return { events: stmLimit, accumulated: 1_000, outcomes: ids, outcomesMs: seconds * 1_000 };
}

/** As the settings say. */
export function retentionFor(rules: {
  stmLimit: number;
  idempotencyIds: number;
  idempotencySeconds: number;
}): Retention {
  const { stmLimit, idempotencyIds: ids, idempotencySeconds: seconds } = rules;
  return retentionOf(stmLimit, { ids, seconds });
}
