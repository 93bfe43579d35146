import type { MetricObjectWithValues, MetricValue, Registry } from "prom-client";
import { AggregatorRegistry } from "prom-client";

/** One metric of one worker, as its registry gives it. */
export type MetricSnapshot = MetricObjectWithValues<MetricValue<string>>;

/** Workers that have not answered by then are counted as they last were. */
const PATIENCE_MS = 1_000;

type Question = { unanswered: Set<number>; done(): void };

/**
 * The metrics of all workers added up. What a worker counted stays counted when it ends, so that a
 * total never falls when workers are replaced.
 */
export class WorkersMetrics {
  readonly #own: Registry | undefined;
  readonly #newest = new Map<number, MetricSnapshot[]>();
  readonly #questions = new Map<number, Question>();
  #departed: MetricSnapshot[] = [];
  #lastId = 0;

  /** `own`: what is counted here, of the workers as a whole. */
  constructor(own?: Registry) {
    this.#own = own;
  }

  /** Asks these workers through `ask` and gives the sum as Prometheus text. */
  async text(workerIds: readonly number[], ask: (workerId: number, id: number) => void) {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, PATIENCE_MS);
    this.#questions.set(id, { unanswered: new Set(workerIds), done: resolve });
    for (const workerId of workerIds) ask(workerId, id);
    if (workerIds.length === 0) resolve();
    await promise;
    clearTimeout(timer);
    this.#questions.delete(id);
    const own = ((await this.#own?.getMetricsAsJSON()) ?? []) as MetricSnapshot[];
    return AggregatorRegistry.aggregate([own, this.#departed, ...this.#newest.values()]).metrics();
  }

  /** `id`: of the question that this answers. */
  heard(workerId: number, metrics: MetricSnapshot[], id: number | undefined): void {
    this.#newest.set(workerId, metrics);
    if (id !== undefined) this.#answered(id, workerId);
  }

  gone(workerId: number): void {
    const last = this.#newest.get(workerId) ?? [];
    this.#newest.delete(workerId);
    const counted = last.filter(({ type }) => String(type) !== "gauge");
    this.#departed = addUp([this.#departed, counted]);
    for (const id of this.#questions.keys()) this.#answered(id, workerId);
  }

  #answered(id: number, workerId: number): void {
    const question = this.#questions.get(id);
    if (question === undefined) return;
    question.unanswered.delete(workerId);
    if (question.unanswered.size === 0) question.done();
  }
}

function addUp(snapshots: MetricSnapshot[][]): MetricSnapshot[] {
  // An aggregated metric holds its values; the library's types know that only of the asynchronous form.
  return AggregatorRegistry.aggregate(snapshots).getMetricsAsArray() as MetricSnapshot[];
}
