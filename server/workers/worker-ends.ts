import { Counter, Registry } from "prom-client";

/** In order; by itself, a signal or a failed start; or killed because it gave no sign of life. */
type Way = "ended" | "crashed" | "hung";

/** Counts how workers ended, in a registry of its own. */
export class WorkerEnds {
  readonly registry = new Registry();
  readonly #counter: Counter<"how">;

  constructor() {
    this.#counter = new Counter({
      name: "kato_worker_ends_total",
      help: "Workers that ended: in order, crashed, or hung and killed",
      labelNames: ["how"],
      registers: [this.registry],
    });
    for (const how of ["ended", "crashed", "hung"]) this.#counter.inc({ how }, 0);
  }

  count(how: Way): void {
    this.#counter.inc({ how });
  }
}
