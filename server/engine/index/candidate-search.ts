import type { EmptyReason } from "@kato-rpc/shared/prediction.ts";

import type { FilterPlan } from "../filters.ts";
import { planFilters } from "../filters.ts";
import { ENSEMBLE_FACTOR } from "../ranking.ts";
import { tokenRatio, tokenSimilarity } from "../similarity.ts";
import { pruneCandidates, sortCandidates } from "./candidate-order.ts";
import type { Candidates, SlotTest } from "./candidates.ts";
import { findCandidates } from "./candidates.ts";
import { CharacterMatcher } from "./character-matcher.ts";
import { commonLengthIn } from "./common-length.ts";
import { Extraction } from "./extraction.ts";
import { nearestSimilarity } from "./nearest-pattern.ts";
import type { NodeReplica } from "./node-replica.ts";
import { OverlapCounter } from "./overlap-counter.ts";
import type { StateQuery } from "./state-query.ts";

/** The members of an ensemble in its order, as positions among the candidates. */
export interface Ensemble {
  candidates: Candidates;
  order: Int32Array;
  /** By position, where a candidate's extraction is kept, −1 where it is not; undefined where none is. */
  kept: Int32Array | undefined;
}

export type IndexSearchResult =
  | { ensemble: Ensemble; extraction: Extraction; empty: null }
  | { empty: EmptyReason; bestSimilarity: number | null };

/** The ensemble for a state of two or more symbols (prediction.md §3): what `searchNaively` finds, in its order. */
export function searchIndex(node: NodeReplica, query: StateQuery): IndexSearchResult {
  if (node.totals().patterns === 0) return { empty: "NO_PATTERNS", bestSimilarity: null };
  const { settings, state, distinctCount } = query;
  const plan = planFilters(settings, { length: state.length, distinct: distinctCount });
  if (plan.lets === "none") return { empty: "FILTERED", bestSimilarity: null };

  const test = createSlotTest(node, query, plan);
  const candidates = findCandidates(node, query, test);
  if (candidates.count === 0) return explainEmpty(node, query, test);

  const extraction = new Extraction(node, query);
  const limit = ENSEMBLE_FACTOR * settings.maxPredictions;
  const { order, kept } =
    candidates.count <= limit
      ? { order: sortCandidates(node, candidates), kept: undefined }
      : pruneCandidates({ node, query, candidates, extraction, limit });
  return { ensemble: { candidates, order, kept }, extraction, empty: null };
}

function createSlotTest(node: NodeReplica, query: StateQuery, plan: FilterPlan): SlotTest {
  const { state, settings } = query;
  const totalOf = (slot: number): number => node.patterns.lengthOf(slot) + state.length;
  if (!settings.useTokenMatching) {
    const characters = new CharacterMatcher(node, query);
    const similarity = (slot: number): number => characters.similarity(slot);
    const passes = createFilter(plan, { overlaps: new OverlapCounter(node, query), similarity });
    return { passes, similarity, common: undefined };
  }
  const common = commonLengthIn(node, query);
  const ratio = (slot: number): number => tokenRatio(common(slot), totalOf(slot));
  return {
    passes: createFilter(plan, { overlaps: new OverlapCounter(node, query), similarity: ratio }),
    similarity: (slot) => tokenSimilarity(common(slot), totalOf(slot)),
    common,
  };
}

function createFilter(
  plan: FilterPlan,
  of: { overlaps: OverlapCounter; similarity: (slot: number) => number },
): SlotTest["passes"] {
  if (plan.lets !== "some") return undefined;
  const { passes, leastSimilarity } = plan;
  return (slot) => {
    const overlap = of.overlaps.count(slot);
    if (!passes(overlap)) return false;
    if (leastSimilarity === null) return true;
    return overlap.shared > 0 && of.similarity(slot) >= leastSimilarity;
  };
}

/** Looks at patterns once more: whether any passed the filters, and how near the best of them came. */
function explainEmpty(node: NodeReplica, query: StateQuery, test: SlotTest): IndexSearchResult {
  if (test.passes === undefined && test.common !== undefined) {
    const bestSimilarity = nearestSimilarity(node, query, test.common);
    return { empty: "BELOW_THRESHOLD", bestSimilarity };
  }
  const overlaps = new OverlapCounter(node, query);
  const { starts, size } = node.patterns;
  let hasPassed = false;
  let best = 0;
  for (let slot = 0; slot < size; slot += 1) {
    query.breathe((starts[slot + 1] ?? 0) - (starts[slot] ?? 0));
    if (node.patterns.frequencyOf(slot) === 0 || test.passes?.(slot) === false) continue;
    hasPassed = true;
    if (overlaps.sharesAny(slot)) best = Math.max(best, test.similarity(slot));
  }
  return hasPassed
    ? { empty: "BELOW_THRESHOLD", bestSimilarity: best }
    : { empty: "FILTERED", bestSimilarity: null };
}
