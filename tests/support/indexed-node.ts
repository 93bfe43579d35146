import { NodeReplica } from "@kato-rpc/server/engine/index/node-replica.ts";
import { predict } from "@kato-rpc/server/engine/index/predict.ts";
import type { PlayedNode } from "./engine-driver.ts";

/** The memory that workers keep, and predict from. */
export function createIndexedNode(): PlayedNode {
  const replica = new NodeReplica();
  return {
    apply: (change) => replica.apply(change),
    predict: (stm, settings) => predict(replica, stm, settings),
    pattern: (hash) => replica.pattern(hash),
    patternCount: () => replica.totals().patterns,
    symbols: () => replica.symbols.entries(),
    affinity: (symbol) => replica.affinity(symbol),
    vectors: replica.vectors,
  };
}
