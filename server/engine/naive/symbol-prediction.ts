import type { PredictionList, SymbolPrediction } from "@kato-rpc/shared/prediction.ts";

import { UNWEIGHTED, weightedFigures } from "../affinity.ts";
import { averageEmotives } from "../emotives.ts";
import type { NodeMemory } from "../node-memory.ts";
import type { StoredPattern } from "../node-change.ts";
import { tokenRatio } from "../similarity.ts";

export interface SymbolQuery {
  symbol: string;
  maxPredictions: number;
  /** Gives a symbol's affinity weight; undefined when weighting is off. */
  weightOf: ((symbol: string) => number) | undefined;
}

/**
 * Predictions from exactly one symbol (prediction.md §2): the patterns that begin with it, whatever the threshold, the
 * filters, the mode of matching and the ranking field.
 */
export function predictFromSymbol(node: NodeMemory, query: SymbolQuery): PredictionList {
  const candidates = [...node.patterns()].filter(({ events }) => events[0]?.[0] === query.symbol);
  const predictions = candidates
    .map((pattern) => predictPattern(pattern, query))
    .sort((a, b) => b.potential - a.potential || (a.name < b.name ? -1 : 1))
    .slice(0, query.maxPredictions);
  const empty = predictions.length === 0 ? "NO_PATTERNS" : null;
  return { predictions, futurePotentials: [], empty, bestSimilarity: null };
}

function predictPattern(
  pattern: StoredPattern,
  { symbol, weightOf }: SymbolQuery,
): SymbolPrediction {
  const symbols = pattern.events.flat();
  const evidence = 1 / symbols.length;
  const weighted = weightOf === undefined ? UNWEIGHTED : weigh(symbol, symbols, weightOf);
  const { weightedEvidence, weightedConfidence, weightedSnr } = weighted;
  return {
    name: pattern.hash,
    patternData: pattern.events,
    length: symbols.length,
    frequency: pattern.frequency,
    emotives: averageEmotives(pattern.emotives),
    matches: [symbol],
    missing: [],
    present: [symbol],
    past: [],
    future: symbols.slice(1),
    extras: [],
    similarity: tokenRatio(1, symbols.length + 1),
    evidence,
    confidence: 1,
    snr: 1,
    fragmentation: 0,
    anomalies: [],
    ...weighted,
    potential:
      ((weightedEvidence ?? evidence) + (weightedConfidence ?? 1)) * (weightedSnr ?? 1) + 1,
  };
}

function weigh(symbol: string, symbols: readonly string[], weightOf: (symbol: string) => number) {
  const own = weightOf(symbol);
  const pattern = symbols.reduce((sum, other) => sum + weightOf(other), 0);
  return weightedFigures({ matches: own, state: own, pattern, present: own, extras: 0 });
}
