import { predictNaively } from "@kato-rpc/server/engine/naive/predict.ts";
import { NodeMemory } from "@kato-rpc/server/engine/node-memory.ts";
import type { PlayedNode } from "./engine-driver.ts";

/** The memory that is written to be read, predicting as the specification words it. */
export function createNaiveNode(): PlayedNode {
  const memory = new NodeMemory();
  return {
    apply: (change) => memory.apply(change),
    predict: (stm, settings) => predictNaively(memory, stm, settings),
    pattern: (hash) => memory.pattern(hash),
    patternCount: () => memory.totals().patterns,
    symbols: () => memory.symbols(),
    affinity: (symbol) => memory.affinity(symbol),
    vectors: memory.vectors,
  };
}
