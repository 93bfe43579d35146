import type { StoreKind } from "../../support/service.ts";
import type { Spread } from "../spread.ts";
import { formatCount, formatRatio, formatTable } from "../measure.ts";
import type { BenchGoal } from "../section.ts";
import { atLeast, atMost } from "../section.ts";
import type { ThroughputRow } from "./measure-throughput.ts";
import { BARE_FASTIFY, serviceName } from "./measure-throughput.ts";
import type { WayName } from "./service-target.ts";

/** Medians over the rounds; latencies are those of whole requests. */
export function printThroughput(rows: readonly ThroughputRow[]): string {
  const bare = median(rowOf(rows, BARE_FASTIFY, "unbatched").figures.observesPerSecond);
  return formatTable(
    [
      "server",
      "observes",
      "per s",
      "least",
      "most",
      "to (b)",
      "server µs",
      "Redis µs",
      "p50 ms",
      "p99 ms",
      "p99.9 ms",
    ],
    rows.map(({ server, way, figures }) => [
      server,
      way,
      formatCount(median(figures.observesPerSecond)),
      formatCount(figures.observesPerSecond.least),
      formatCount(figures.observesPerSecond.most),
      formatRatio(median(figures.observesPerSecond) / bare),
      median(figures.serverCpu).toFixed(1),
      figures.redisCpu === null ? "–" : median(figures.redisCpu).toFixed(1),
      ...[figures.p50, figures.p99, figures.p999].map((spread) => median(spread).toFixed(2)),
    ]),
  );
}

/** What is promised, as ratios to the bare server of the same run. */
export function throughputGoals(rows: readonly ThroughputRow[]): BenchGoal[] {
  const bare = rowOf(rows, BARE_FASTIFY, "unbatched").figures;
  const rate = (store: StoreKind, way: WayName) => {
    const { figures } = rowOf(rows, serviceName(store, 1), way);
    return median(figures.observesPerSecond) / median(bare.observesPerSecond);
  };
  const { figures } = rowOf(rows, serviceName("redis", 1), "unbatched");
  const cpu = median(figures.serverCpu) / median(bare.serverCpu);
  return [
    atLeast("observe on Redis, unbatched ≥ 0.8× (b)", rate("redis", "unbatched"), 0.8),
    atMost("server CPU of it ≤ 1.25× (b)", cpu, 1.25),
    atLeast("observe on Redis, batches of 50 ≥ 1.8× (b)", rate("redis", "batches of 50"), 1.8),
    atLeast("observeSequence of 50 on Redis ≥ 3.5× (b)", rate("redis", "sequences of 50"), 3.5),
    atLeast("observe on SQLite, unbatched ≥ 0.6× (b)", rate("sqlite", "unbatched"), 0.6),
  ];
}

function rowOf(rows: readonly ThroughputRow[], server: string, way: WayName): ThroughputRow {
  const row = rows.find((each) => each.server === server && each.way === way);
  if (row === undefined) throw new Error(`${server}, ${way} was not measured`);
  return row;
}

function median(spread: Spread): number {
  return spread.median;
}
