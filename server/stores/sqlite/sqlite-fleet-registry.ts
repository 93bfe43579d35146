import type { FleetRegistry } from "../fleet-registry.ts";
import type { SqliteDatabase } from "./database.ts";
import type { Statements } from "./statements.ts";
import { prepareStatements } from "./statements.ts";

/** Workers of one machine, so one clock says who is alive. */
export class SqliteFleetRegistry implements FleetRegistry {
  readonly #database: SqliteDatabase;
  readonly #statements: Statements;
  readonly #now: () => number;

  constructor(database: SqliteDatabase, now: () => number) {
    this.#database = database;
    this.#statements = prepareStatements(database.connection);
    this.#now = now;
  }

  async publish(workerId: string, report: string, ttlMs: number): Promise<void> {
    await this.#database.write(() => {
      this.#statements.removeDeadWorkers.run(this.#now());
      this.#statements.publishWorker.run(workerId, report, this.#now() + ttlMs);
    });
  }

  async read(): Promise<string[]> {
    const rows = await this.#database.read(
      () => this.#statements.livingWorkers.all(this.#now()) as { report: string }[],
    );
    return rows.map(({ report }) => report);
  }

  async remove(workerId: string): Promise<void> {
    await this.#database.write(() => this.#statements.removeWorker.run(workerId));
  }
}
