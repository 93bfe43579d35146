import type { WorkerEnds } from "./worker-ends.ts";
import type { MetricSnapshot, WorkersMetrics } from "./workers-metrics.ts";

type Loaded = { ends: WorkerEnds; metrics: WorkersMetrics };

/**
 * The metrics of the service as a whole. What counts and adds them up is loaded while the first workers start: before,
 * it would delay them by the 20 ms that it takes. What is told until then is heard afterwards, in its order.
 */
export class ServiceMetrics {
  readonly #loaded = Promise.withResolvers<Loaded>();

  /** To be called once. */
  async load(): Promise<void> {
    const [{ WorkerEnds }, { WorkersMetrics }] = await Promise.all([
      import("./worker-ends.ts"),
      import("./workers-metrics.ts"),
    ]);
    const ends = new WorkerEnds();
    this.#loaded.resolve({ ends, metrics: new WorkersMetrics(ends.registry) });
  }

  ended(how: Parameters<WorkerEnds["count"]>[0]): void {
    this.#tell(({ ends }) => ends.count(how));
  }

  heard(workerId: number, snapshots: MetricSnapshot[], id: number | undefined): void {
    this.#tell(({ metrics }) => metrics.heard(workerId, snapshots, id));
  }

  gone(workerId: number): void {
    this.#tell(({ metrics }) => metrics.gone(workerId));
  }

  async text(...question: Parameters<WorkersMetrics["text"]>): Promise<string> {
    const { metrics } = await this.#loaded.promise;
    return metrics.text(...question);
  }

  #tell(tell: (loaded: Loaded) => void): void {
    void this.#loaded.promise.then(tell);
  }
}
