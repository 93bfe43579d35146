/**
 * How long a prediction takes in process, on one thread, and what a pattern weighs in memory: nodes of random patterns of
 * ten symbols, a vocabulary of 1,000 (Zipf), queries of five symbols, `maxPredictions` 100, all figures.
 */
import { NodeReplica } from "../../server/engine/index/node-replica.ts";
import { predict } from "../../server/engine/index/predict.ts";
import { learnPattern } from "../../server/engine/learning.ts";
import { DEFAULT_SESSION_CONFIG } from "../../shared/session-config.ts";
import { formatCount, formatTable } from "./measure.ts";
import { spreadOf } from "./spread.ts";
import type { Spread } from "./spread.ts";
import { drawEvents, PATTERN_SEED, PATTERN_SYMBOLS, QUERY_SYMBOLS } from "./random-patterns.ts";
import { randomFrom } from "../support/random.ts";

const THRESHOLDS = [0.1, 0.5] as const;

export type PredictLatencyRow = {
  patterns: number;
  threshold: number;
  /** Milliseconds of one prediction, over the queries. */
  latency: Spread;
  bytesPerPattern: number;
};

export function measurePredictLatency(options: {
  sizes: readonly number[];
  /** Gives how many queries to time on a node of a size. */
  queriesFor: (size: number) => number;
}): PredictLatencyRow[] {
  return options.sizes.flatMap((size) => {
    const { node, random } = buildNode(size);
    const length = options.queriesFor(size);
    const queries = Array.from({ length }, () => drawEvents(random, QUERY_SYMBOLS));
    return THRESHOLDS.map((threshold) => ({
      patterns: size,
      threshold,
      latency: spreadOf(timeQueries(node, queries, threshold)),
      bytesPerPattern: node.sizeBytes / size,
    }));
  });
}

export function printPredictLatency(rows: readonly PredictLatencyRow[]): string {
  return formatTable(
    ["patterns", "threshold", "median ms", "least ms", "most ms", "bytes per pattern"],
    rows.map(({ patterns, threshold, latency, bytesPerPattern }) => [
      formatCount(patterns),
      threshold,
      latency.median.toFixed(3),
      latency.least.toFixed(3),
      latency.most.toFixed(3),
      Math.round(bytesPerPattern),
    ]),
  );
}

function buildNode(size: number): { node: NodeReplica; random: () => number } {
  const random = randomFrom(PATTERN_SEED);
  const node = new NodeReplica();
  while (node.totals().patterns < size) {
    const events = drawEvents(random, PATTERN_SYMBOLS);
    const rest = { emotives: [], metadata: [], persistence: 5, vectors: [] };
    const { learned } = learnPattern({ events, ...rest });
    if (learned !== null) node.apply(learned);
  }
  return { node, random };
}

/** The first half, run once before, warms the compiler up and isn't counted. */
function timeQueries(node: NodeReplica, queries: string[][][], recallThreshold: number): number[] {
  const settings = { ...DEFAULT_SESSION_CONFIG, recallThreshold };
  const warmUp = queries.slice(0, queries.length / 2);
  for (const stm of warmUp) predict(node, stm, settings);
  return queries.map((stm) => {
    const start = performance.now();
    predict(node, stm, settings);
    return performance.now() - start;
  });
}

if (import.meta.main) {
  const sizes = process.argv.slice(2).map(Number);
  const rows = measurePredictLatency({
    sizes: sizes.length > 0 ? sizes : [1_000, 10_000, 100_000],
    queriesFor: (size) => Math.max(200, Math.min(4_000, 10_000_000 / size)),
  });
  process.stdout.write(`seed ${PATTERN_SEED}, Node ${process.versions.node}\n`);
  process.stdout.write(`${printPredictLatency(rows)}\n`);
}
