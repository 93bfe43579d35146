import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyHistogram } from "../../../server/monitor/latency-histogram.ts";

const latencies = fc.array(fc.double({ min: 0, max: 600_000, noNaN: true }), { minLength: 1 });

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

/** The smallest value that at least the quantile of all values do not exceed. */
function exactPercentile(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(values.length * quantile) - 1]!;
}

describe("LatencyHistogram", () => {
  it("is all zero before anything is recorded", () => {
    expect(new LatencyHistogram().summary()).toEqual({
      count: 0,
      meanMs: 0,
      p50Ms: 0,
      p90Ms: 0,
      p99Ms: 0,
      maxMs: 0,
    });
  });

  it("finds percentiles to 5 % above, never below", () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const summary = histogramOf(values).summary();

        for (const [quantile, found] of [
          [0.5, summary.p50Ms],
          [0.9, summary.p90Ms],
          [0.99, summary.p99Ms],
        ] as const) {
          const exact = exactPercentile(values, quantile);
          expect(found).toBeGreaterThanOrEqual(exact - 0.001);
          expect(found).toBeLessThanOrEqual(Math.max(exact * 1.051, 0.01) + 0.001);
        }
      }),
    );
  });

  it("gives the sum of several workers' counts the same summary as one worker's of all", () => {
    fc.assert(
      fc.property(latencies, latencies, (one, other) => {
        const sum = new LatencyHistogram();
        sum.add(histogramOf(one).toCounts());
        sum.add(histogramOf(other).toCounts());
        const all = histogramOf([...one, ...other]).summary();

        expect({ ...sum.summary(), meanMs: 0 }).toEqual({ ...all, meanMs: 0 });
        expect(sum.summary().meanMs).toBeCloseTo(all.meanMs, 2);
      }),
    );
  });

  it("counts what is slower than its last bucket in the last bucket", () => {
    const summary = histogramOf([1e9]).summary();

    expect(summary).toMatchObject({ count: 1, maxMs: 1e9 });
    expect(summary.p50Ms).toBeGreaterThan(600_000);
  });
});
