import type { NodeReplica } from "../../../server/engine/index/node-replica.ts";
import { predict } from "../../../server/engine/index/predict.ts";
import type { SessionConfig } from "../../../shared/session-config.ts";
import { DEFAULT_SESSION_CONFIG } from "../../../shared/session-config.ts";
import type { Spread } from "../spread.ts";
import { spreadOf } from "../spread.ts";

export type PredictTiming = { latency: Spread; predictions: number };

/** Milliseconds of a prediction over the queries, and how many predictions there are on average; the first half warms up. */
export function timePredictions(
  node: NodeReplica,
  queries: readonly string[][][],
  settings: Partial<SessionConfig>,
): PredictTiming {
  const config = { ...DEFAULT_SESSION_CONFIG, ...settings };
  for (const stm of queries.slice(0, queries.length / 2)) predict(node, stm, config);
  let predictions = 0;
  const latencies = queries.map((stm) => {
    const start = performance.now();
    predictions += predict(node, stm, config).predictions.length;
    return performance.now() - start;
  });
  return { latency: spreadOf(latencies), predictions: predictions / queries.length };
}

/** Lets signals and the progress line through. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
