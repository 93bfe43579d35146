import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MetricSnapshot } from "../../../server/workers/workers-metrics.ts";
import { WorkersMetrics } from "../../../server/workers/workers-metrics.ts";

/** What a worker has counted: calls of a procedure, calls running now, and the latency of one call. */
async function snapshot(worker: {
  calls: number;
  running: number;
  seconds: number;
}): Promise<MetricSnapshot[]> {
  const registers = [new Registry()];
  const calls = new Counter({ name: "calls_total", help: "h", labelNames: ["p"], registers });
  calls.inc({ p: "a" }, worker.calls);
  new Gauge({ name: "running", help: "h", registers }).set(worker.running);
  const seconds = new Histogram({ name: "seconds", help: "h", buckets: [1, 2], registers });
  seconds.observe(worker.seconds);
  return registers[0]!.getMetricsAsJSON();
}

function valuesIn(text: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
}

describe("WorkersMetrics", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("adds up what every worker answers", async () => {
    const metrics = new WorkersMetrics();
    const one = await snapshot({ calls: 2, running: 1, seconds: 0.5 });
    const two = await snapshot({ calls: 3, running: 4, seconds: 1.5 });

    const text = await metrics.text([1, 2], (worker, id) =>
      metrics.heard(worker, worker === 1 ? one : two, id),
    );

    expect(valuesIn(text)).toEqual({
      'calls_total{p="a"}': 5,
      running: 5,
      'seconds_bucket{le="1"}': 1,
      'seconds_bucket{le="2"}': 2,
      'seconds_bucket{le="+Inf"}': 2,
      seconds_sum: 2,
      seconds_count: 2,
    });
  });

  it("goes on counting what workers did that are gone, but not what they were doing", async () => {
    const metrics = new WorkersMetrics();
    for (const worker of [1, 2, 3]) {
      metrics.heard(worker, await snapshot({ calls: 2, running: 1, seconds: 0.5 }), undefined);
      metrics.gone(worker);
    }

    const answer = await snapshot({ calls: 1, running: 1, seconds: 0.5 });
    const text = await metrics.text([4], (worker, id) => metrics.heard(worker, answer, id));

    expect(valuesIn(text)).toMatchObject({
      'calls_total{p="a"}': 7,
      running: 1,
      seconds_count: 4,
    });
  });

  it("counts a worker that does not answer as it last was", async () => {
    const metrics = new WorkersMetrics();
    metrics.heard(1, await snapshot({ calls: 2, running: 0, seconds: 1 }), undefined);
    const answer = await snapshot({ calls: 1, running: 0, seconds: 1 });

    const text = metrics.text([1, 2], (worker, id) => {
      if (worker === 2) metrics.heard(2, answer, id);
    });
    await vi.advanceTimersByTimeAsync(1_000);

    expect(valuesIn(await text)).toMatchObject({ 'calls_total{p="a"}': 3 });
  });

  it("does not wait for a worker that dies over the question", async () => {
    const metrics = new WorkersMetrics();

    const text = metrics.text([1], () => undefined);
    metrics.gone(1);

    expect(valuesIn(await text)).toEqual({});
  });
});
