import type { Event } from "@kato-rpc/shared/observation.ts";
import type { PredictionList, PredictionSettings } from "@kato-rpc/shared/prediction.ts";

import { affinityWeight } from "../affinity.ts";
import type { NodeMemory } from "../node-memory.ts";
import { rankBy } from "../ranking.ts";
import { figureEnsemble } from "./ensemble.ts";
import { searchNaively } from "./search.ts";
import { predictFromSymbol } from "./symbol-prediction.ts";

/**
 * Predictions as the specification words them (prediction.md §1.2 and §3), from a memory without index. What serves calls
 * is tested to give the same, bit for bit.
 */
export function predictNaively(
  node: NodeMemory,
  stm: readonly Event[],
  settings: PredictionSettings,
): PredictionList {
  const state = stm.flat();
  const [first, ...others] = state;
  if (first === undefined) {
    return { predictions: [], futurePotentials: [], empty: "NO_SYMBOLS", bestSimilarity: null };
  }
  const { affinityEmotive, maxPredictions, rankSortAlgo } = settings;
  const weightOf = affinityEmotive
    ? (symbol: string) =>
        affinityWeight(
          node.affinity(symbol)[affinityEmotive] ?? 0,
          node.symbol(symbol)?.frequency ?? 0,
        )
    : undefined;
  if (others.length === 0) {
    return predictFromSymbol(node, { symbol: first, maxPredictions, weightOf });
  }

  const weights = weightOf && new Map(state.map((symbol) => [symbol, weightOf(symbol)]));
  const query = { stm, state, settings, weights };
  const found = searchNaively(node, query);
  if (found.empty !== null) {
    const { empty, bestSimilarity } = found;
    return { predictions: [], futurePotentials: [], empty, bestSimilarity };
  }
  const { predictions, futurePotentials } = figureEnsemble(node, query, found.ensemble);
  return {
    predictions: rankBy(predictions, rankSortAlgo, maxPredictions),
    futurePotentials,
    empty: null,
    bestSimilarity: null,
  };
}
