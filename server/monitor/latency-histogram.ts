import type { LatencySummary } from "@kato-rpc/shared/monitor.ts";

/** Each bucket is this much wider than the one before: percentiles are exact to 5 %. */
const GROWTH = 1.05;
const SMALLEST_MS = 0.01;
/** The last bucket starts at about 11 minutes; what is slower counts there. */
const BUCKETS = 370;

const LOG_GROWTH = Math.log(GROWTH);

export type LatencyCounts = {
  counts: [bucket: number, count: number][];
  sumMs: number;
  maxMs: number;
};

/** Latencies in logarithmic buckets: recording is O(1), and several workers' can be added up. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** `calls`: how many took so long. */
  record(ms: number, calls = 1): void {
    const bucket = ms <= SMALLEST_MS ? 0 : Math.ceil(Math.log(ms / SMALLEST_MS) / LOG_GROWTH);
    const index = Math.min(bucket, BUCKETS - 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + calls;
    this.#count += calls;
    this.#sumMs += ms * calls;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  add({ counts, sumMs, maxMs }: LatencyCounts): void {
    for (const [bucket, count] of counts) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.#count += count;
    }
    this.#sumMs += sumMs;
    this.#maxMs = Math.max(this.#maxMs, maxMs);
  }

  toCounts(): LatencyCounts {
    const counts: [number, number][] = [];
    for (const [bucket, count] of this.#counts.entries())
      if (count > 0) counts.push([bucket, count]);
    return { counts, sumMs: this.#sumMs, maxMs: this.#maxMs };
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : round(this.#sumMs / this.#count),
      p50Ms: this.#percentile(0.5),
      p90Ms: this.#percentile(0.9),
      p99Ms: this.#percentile(0.99),
      maxMs: round(this.#maxMs),
    };
  }

  /** Upper bound of the bucket in which the quantile lies, in ms; 0 when nothing was recorded. */
  #percentile(quantile: number): number {
    let left = Math.ceil(this.#count * quantile);
    if (left === 0) return 0;
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return round(Math.min(this.#maxMs, SMALLEST_MS * GROWTH ** bucket));
    }
    return round(this.#maxMs);
  }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
