import type { EmptyReason } from "@kato-rpc/shared/prediction.ts";

import { planFilters } from "../filters.ts";
import type { NodeMemory } from "../node-memory.ts";
import type { StoredPattern } from "../node-change.ts";
import { ENSEMBLE_FACTOR, pruneToEnsemble } from "../ranking.ts";
import {
  characterSimilarity,
  commonSubsequenceLength,
  joinedCodePoints,
  tokenRatio,
  tokenSimilarity,
} from "../similarity.ts";
import type { Candidate, Query } from "./extraction.ts";
import { extractCandidate } from "./extraction.ts";

export type SearchResult =
  | { ensemble: Candidate[]; empty: null }
  | { ensemble: []; empty: EmptyReason; bestSimilarity: number | null };

/** The candidates of a node for a state of two or more symbols: every pattern is looked at (prediction.md §3). */
export function searchNaively(node: NodeMemory, query: Query): SearchResult {
  const patterns = [...node.patterns()];
  if (patterns.length === 0) return { ensemble: [], empty: "NO_PATTERNS", bestSimilarity: null };
  const passed = filterPatterns(patterns, query);
  if (passed.length === 0) return { ensemble: [], empty: "FILTERED", bestSimilarity: null };

  const { recallThreshold, maxPredictions } = query.settings;
  const candidates = passed.flatMap((pattern) => {
    const similarity = similarityTo(pattern, query);
    if (similarity < recallThreshold) return [];
    return extractCandidate(pattern, query, similarity) ?? [];
  });
  if (candidates.length === 0) {
    const bestSimilarity = bestOf(passed, query);
    return { ensemble: [], empty: "BELOW_THRESHOLD", bestSimilarity };
  }
  const ensemble = pruneToEnsemble(candidates, ENSEMBLE_FACTOR * maxPredictions);
  return { ensemble, empty: null };
}

function filterPatterns(patterns: readonly StoredPattern[], query: Query): StoredPattern[] {
  const { state, settings } = query;
  const distinct = new Set(state);
  const plan = planFilters(settings, { length: state.length, distinct: distinct.size });
  if (plan.lets === "all") return [...patterns];
  if (plan.lets === "none") return [];

  const { passes, leastSimilarity } = plan;
  return patterns.filter((pattern) => {
    const symbols = pattern.events.flat();
    const own = new Set(symbols);
    const shared = [...own].filter((symbol) => distinct.has(symbol)).length;
    if (!passes({ patternLength: symbols.length, patternDistinct: own.size, shared })) return false;
    return leastSimilarity === null || (shared > 0 && ratioTo(pattern, query) >= leastSimilarity);
  });
}

function similarityTo(pattern: StoredPattern, query: Query): number {
  const symbols = pattern.events.flat();
  const { state, settings } = query;
  if (!settings.useTokenMatching) return charactersAlike(symbols, state);
  const common = commonSubsequenceLength(symbols, state);
  return tokenSimilarity(common, symbols.length + state.length);
}

/** The similarity of the `rapidfuzz` stage, which takes tokens without the detour over 100. */
function ratioTo(pattern: StoredPattern, query: Query): number {
  const symbols = pattern.events.flat();
  const { state, settings } = query;
  if (!settings.useTokenMatching) return charactersAlike(symbols, state);
  return tokenRatio(commonSubsequenceLength(symbols, state), symbols.length + state.length);
}

function charactersAlike(symbols: readonly string[], state: readonly string[]): number {
  const [points, statePoints] = [joinedCodePoints(symbols), joinedCodePoints(state)];
  const common = commonSubsequenceLength(points, statePoints);
  return characterSimilarity(common, points.length + statePoints.length);
}

/** The highest similarity among patterns that share a symbol with the state: no other can pass. 0 without any. */
function bestOf(patterns: readonly StoredPattern[], query: Query): number {
  const state = new Set(query.state);
  return patterns
    .filter((pattern) => pattern.events.flat().some((symbol) => state.has(symbol)))
    .reduce((best, pattern) => Math.max(best, similarityTo(pattern, query)), 0);
}
