import type { FleetRegistry } from "./fleet-registry.ts";
import type { NodeStore } from "./node-store.ts";
import type { Moment, Retention, SessionStore } from "./session-store.ts";
import type { StoreAddress } from "./store-address.ts";

/** A store of any kind, opened once per process; `close` it last. */
export type OpenStore = {
  sessions: SessionStore;
  nodes: NodeStore;
  fleet: FleetRegistry;
  /** Clears away a little of what has expired; gives whether there may be more. Absent where that happens by itself. */
  tidy?: (nowMs: Moment) => Promise<boolean>;
  close(): Promise<void>;
};

export type StoreRules = {
  retention: Retention;
  /** Within this every operation ends. */
  timeoutMs: number;
  /** Hears of every failed attempt to connect. */
  onConnectionError(error: Error): void;
};

/**
 * Opens the store without waiting for a server to answer; only the drivers of the kind asked for are
 * loaded. @throws Error when a SQLite file cannot be opened
 */
export async function openStore(address: StoreAddress, rules: StoreRules): Promise<OpenStore> {
  if (address.kind === "sqlite") {
    const { SqliteDatabase } = await import("./sqlite/database.ts");
    const { SqliteSessionStore } = await import("./sqlite/sqlite-session-store.ts");
    const { SqliteNodeStore } = await import("./sqlite/sqlite-node-store.ts");
    const { SqliteFleetRegistry } = await import("./sqlite/sqlite-fleet-registry.ts");
    const database = SqliteDatabase.open(address.path, rules);
    const sessions = new SqliteSessionStore(database, rules.retention);
    const nodes = new SqliteNodeStore(database);
    const fleet = new SqliteFleetRegistry(database);
    const tidy = (nowMs: Moment) => sessions.tidy(nowMs);
    return { sessions, nodes, fleet, tidy, close: () => sessions.close() };
  }
  const { RedisConnection } = await import("./redis/connection.ts");
  const { RedisSessionStore } = await import("./redis/redis-session-store.ts");
  const { RedisNodeStore } = await import("./redis/redis-node-store.ts");
  const { RedisFleetRegistry } = await import("./redis/redis-fleet-registry.ts");
  const connection = new RedisConnection(address.address, {
    timeoutMs: rules.timeoutMs,
    onError: rules.onConnectionError,
  });
  connection.connect();
  const sessions = new RedisSessionStore(connection, rules.retention);
  const nodes = new RedisNodeStore(connection);
  const fleet = new RedisFleetRegistry(connection);
  return { sessions, nodes, fleet, close: () => sessions.close() };
}

/** Emotives and metadata kept per session (sessions.md §1), and ids whose replies are remembered. */
export function retentionOf(stmLimit: number): Retention {
  return { events: stmLimit, accumulated: 1_000, outcomes: 1_024 };
}
