import type { FleetRegistry } from "../fleet-registry.ts";
import type { RedisConnection } from "./connection.ts";
import { FLEET_KEY, workerKey } from "./keys.ts";

/** Reports as expiring strings, so that no clock but that of Redis says who is alive. */
export class RedisFleetRegistry implements FleetRegistry {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async publish(workerId: string, report: string, ttlMs: number): Promise<void> {
    await this.#connection.run((client) => client.set(workerKey(workerId), report, "PX", ttlMs));
    await this.#connection.run((client) => client.sadd(FLEET_KEY, workerId));
  }

  async read(): Promise<string[]> {
    const ids = await this.#connection.run((client) => client.smembers(FLEET_KEY));
    const reports = await Promise.all(ids.map((id) => this.#readOne(id)));
    return reports.filter((report) => report !== null);
  }

  async remove(workerId: string): Promise<void> {
    await this.#connection.run((client) => client.del(workerKey(workerId)));
    await this.#connection.run((client) => client.srem(FLEET_KEY, workerId));
  }

  /** Forgets a worker whose report has expired; one that lives on joins again with its next report. */
  async #readOne(workerId: string): Promise<string | null> {
    const report = await this.#connection.run((client) => client.get(workerKey(workerId)));
    if (report === null) await this.#connection.run((client) => client.srem(FLEET_KEY, workerId));
    return report;
  }
}
