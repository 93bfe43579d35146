import * as fc from "fast-check";
import { Histogram, Registry } from "prom-client";
import { expect, it } from "vitest";
import { DurationBuckets } from "../../../server/monitor/duration-buckets.ts";

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

const finishedCall = fc.record({
  procedure: fc.constantFrom("session.observe", "session.stm", 'odd "name"\n'),
  // In quarters of a millisecond, so that many lie on a bound.
  durationMs: fc.oneof(
    fc.integer({ min: 0, max: 40_000 }).map((n) => n / 4),
    fc.double({ min: 0, max: 9_000, noNaN: true }),
  ),
  calls: fc.integer({ min: 1, max: 3 }),
});

it("is written out as the library's own histogram is", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(finishedCall, { minLength: 1 }), async (finished) => {
      const [own, theirs] = [new Registry(), new Registry()];
      const buckets = new DurationBuckets();
      own.registerMetric(buckets as never);
      const histogram = new Histogram({
        name: buckets.name,
        help: buckets.help,
        labelNames: ["procedure"],
        buckets: BUCKETS,
        registers: [theirs],
      });
      for (const { procedure, durationMs, calls } of finished) {
        buckets.record(procedure, durationMs, calls);
        for (let i = 0; i < calls; i += 1) histogram.observe({ procedure }, durationMs / 1_000);
      }

      const [written, expected] = [await own.metrics(), await theirs.metrics()];

      expect(withoutSums(written)).toEqual(withoutSums(expected));
      expect(sumsOf(written)).toHaveLength(sumsOf(expected).length);
      for (const [i, sum] of sumsOf(written).entries())
        expect(sum).toBeCloseTo(sumsOf(expected)[i]!);
    }),
  );
});

const SUM = /^kato_call_duration_seconds_sum\{.*\} (\S+)$/gm;

function sumsOf(text: string): number[] {
  return Array.from(text.matchAll(SUM), ([, sum]) => Number(sum));
}

/** In order of their lines; sums are added up in another order. */
function withoutSums(text: string): string[] {
  return text.replaceAll(SUM, "").split("\n").map(inLabelOrder).sort();
}

function inLabelOrder(line: string): string {
  return line.replace(/\{(le="[^"]*"),(procedure=".*")\}/, "{$2,$1}");
}
