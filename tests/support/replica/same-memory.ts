import { expect } from "vitest";

import { intrinsicMetricsOf } from "@kato-rpc/server/engine/index/intrinsic-metrics.ts";
import type { NodeReplica } from "@kato-rpc/server/engine/index/node-replica.ts";
import { QueryArrays } from "@kato-rpc/server/engine/index/query-arrays.ts";
import { SymbolCounts } from "@kato-rpc/server/engine/index/symbol-counts.ts";
import type { NodeMemory } from "@kato-rpc/server/engine/node-memory.ts";
import { SYMBOLS } from "./random-changes.ts";

/** All of it, bit for bit. */
export function expectSameMemory(replica: NodeReplica, memory: NodeMemory): void {
  const patterns = [...memory.patterns()];
  const bySymbol = (a: [string, unknown], b: [string, unknown]): number => (a[0] < b[0] ? -1 : 1);
  expect([...replica.storedPatterns()].map(({ hash }) => hash).toSorted()).toEqual(
    patterns.map(({ hash }) => hash).toSorted(),
  );
  for (const pattern of patterns) {
    expect(replica.pattern(pattern.hash)).toEqual(pattern);
    expect(metricsOf(replica, pattern.hash)).toEqual(memory.intrinsicMetrics(pattern.hash));
  }
  expect([...replica.symbols.entries()].toSorted(bySymbol)).toEqual(
    [...memory.symbols()].toSorted(bySymbol),
  );
  expect(replica.totals()).toEqual(memory.totals());
  for (const symbol of SYMBOLS) expect(replica.affinity(symbol)).toEqual(memory.affinity(symbol));
  expect(vectorsOf(replica)).toEqual(vectorsOf(memory));
}

function metricsOf(replica: NodeReplica, hash: string) {
  const scratch = replica.takeScratch();
  const counts = new SymbolCounts(replica, scratch.places, new QueryArrays());
  const metrics = intrinsicMetricsOf(replica, replica.patterns.find(hash), counts);
  replica.giveBackScratch(scratch);
  return metrics;
}

function vectorsOf({ vectors }: Pick<NodeMemory, "vectors">) {
  return [...vectors.entries()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
