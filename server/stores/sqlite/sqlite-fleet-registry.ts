import type { DatabaseSync } from "node:sqlite";
import type { FleetRegistry } from "../fleet-registry.ts";
import type { SqliteDatabase } from "./database.ts";

/** Workers of one machine, so one clock says who is alive. */
export class SqliteFleetRegistry implements FleetRegistry {
  readonly #database: SqliteDatabase;
  readonly #statements: ReturnType<typeof prepareFleetStatements>;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#statements = prepareFleetStatements(database.connection);
  }

  async publish(workerId: string, report: string, ttlMs: number): Promise<void> {
    await this.#database.write(() => {
      const nowMs = this.#database.now();
      this.#statements.removeDead.run(nowMs);
      this.#statements.publish.run(workerId, report, nowMs + ttlMs);
    });
  }

  async read(): Promise<string[]> {
    const rows = await this.#database.read(
      () => this.#statements.living.all(this.#database.now()) as { report: string }[],
    );
    return rows.map(({ report }) => report);
  }

  async remove(workerId: string): Promise<void> {
    await this.#database.write(() => this.#statements.remove.run(workerId));
  }
}

function prepareFleetStatements(db: DatabaseSync) {
  return {
    publish: db.prepare(
      "INSERT OR REPLACE INTO workers (worker_id, report, expires_at) VALUES (?, ?, ?)",
    ),
    living: db.prepare("SELECT report FROM workers WHERE expires_at >= ? ORDER BY worker_id"),
    removeDead: db.prepare("DELETE FROM workers WHERE expires_at < ?"),
    remove: db.prepare("DELETE FROM workers WHERE worker_id = ?"),
  };
}
