import { entropy, globalNormalizedEntropy, normalizedEntropy } from "../distributions.ts";
import type { IntrinsicMetrics } from "../long-term-memory.ts";
import type { NodeReplica } from "./node-replica.ts";
import type { SymbolCounts } from "./symbol-counts.ts";

/**
 * What the last finalize fixed for a slot (sessions.md §9), undefined for a later one. The metrics follow from the pattern
 * and the statistics of that moment, so that these are kept, once per node, and not the metrics. Counts the whole
 * pattern into `counts`.
 */
export function intrinsicMetricsOf(
  node: NodeReplica,
  slot: number,
  counts: SymbolCounts,
): IntrinsicMetrics | undefined {
  const { finalized } = node;
  if (finalized === undefined || slot >= finalized.slots) return undefined;

  const { members, patterns, symbols } = finalized;
  counts.count(slot, 0, node.patterns.lengthOf(slot));
  const ids = Array.from(counts.ids.subarray(0, counts.distinct));
  const ofEach = Array.from(counts.counts.subarray(0, counts.distinct));
  return {
    entropy: entropy(ofEach, counts.total),
    normalizedEntropy: normalizedEntropy(ofEach, counts.total, symbols),
    globalNormalizedEntropy: globalNormalizedEntropy(
      ids.map((id) => (members[id] ?? 0) / patterns),
      symbols,
    ),
  };
}
