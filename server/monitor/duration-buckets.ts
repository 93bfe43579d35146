import type { MetricObjectWithValues, MetricValueWithName } from "prom-client";

/** Upper bounds in seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

const NAME = "kato_call_duration_seconds";

type Cell = { counts: Float64Array; sumSeconds: number; count: number };

/**
 * A Prometheus histogram by procedure that costs a call an addition or two: the library's own finds the labels anew
 * at each observation, which under overload takes more time than to refuse the call.
 */
export class DurationBuckets {
  readonly name = NAME;
  readonly help = "Time from a call's arrival to its answer";
  readonly type = "histogram";
  readonly aggregator = "sum";
  readonly #cells = new Map<string, Cell>();

  record(procedure: string, durationMs: number, calls: number): void {
    let cell = this.#cells.get(procedure);
    if (cell === undefined) {
      cell = { counts: new Float64Array(BOUNDS.length), sumSeconds: 0, count: 0 };
      this.#cells.set(procedure, cell);
    }
    const seconds = durationMs / 1_000;
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) cell.counts[bucket] = (cell.counts[bucket] ?? 0) + calls;
    cell.sumSeconds += seconds * calls;
    cell.count += calls;
  }

  /** As Prometheus wants it: each bucket counts those before it too. */
  async get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const { name, help, type, aggregator } = this;
    const values = Array.from(this.#cells, ([procedure, cell]) => valuesOf(procedure, cell));
    const described = { name, help, type, aggregator, values: values.flat() };
    return described as unknown as MetricObjectWithValues<MetricValueWithName<string>>;
  }
}

function valuesOf(
  procedure: string,
  { counts, sumSeconds, count }: Cell,
): MetricValueWithName<string>[] {
  let below = 0;
  const buckets = BOUNDS.map((le, i) => {
    below += counts[i] ?? 0;
    return { metricName: `${NAME}_bucket`, labels: { le, procedure }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${NAME}_bucket`, labels: { le: "+Inf", procedure }, value: count },
    { metricName: `${NAME}_sum`, labels: { procedure }, value: sumSeconds },
    { metricName: `${NAME}_count`, labels: { procedure }, value: count },
  ];
}
