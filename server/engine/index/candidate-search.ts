import type { EmptyReason } from "@kato-rpc/shared/prediction.ts";

import type { FilterPlan } from "../filters.ts";
import { planFilters } from "../filters.ts";
import { ENSEMBLE_FACTOR } from "../ranking.ts";
import { tokenRatio, tokenSimilarity } from "../similarity.ts";
import { CharacterMatcher } from "./character-matcher.ts";
import type { CommonLength } from "./common-length.ts";
import { commonLengthIn } from "./common-length.ts";
import { Extraction } from "./extraction.ts";
import { pruneCandidates, sortCandidates } from "./candidate-order.ts";
import type { NodeReplica } from "./node-replica.ts";
import { OverlapCounter } from "./overlap-counter.ts";
import { slotsWorthALook } from "./promising-slots.ts";
import type { StateQuery } from "./state-query.ts";

/** Patterns that pass filters and threshold, in parallel lists. */
export interface Candidates {
  slots: number[];
  similarities: number[];
  /** Lengths of the longest common subsequences; empty in character mode. */
  commons: number[];
}

export interface EnsembleMember {
  slot: number;
  similarity: number;
}

export type IndexSearchResult =
  | { members: EnsembleMember[]; extraction: Extraction; empty: null }
  | { empty: EmptyReason; bestSimilarity: number | null };

/** The ensemble for a state of two or more symbols (prediction.md §3): what `searchNaively` finds, in its order. */
export function searchIndex(node: NodeReplica, query: StateQuery): IndexSearchResult {
  if (node.totals().patterns === 0) return { empty: "NO_PATTERNS", bestSimilarity: null };
  const { settings, state, distinctCount } = query;
  const plan = planFilters(settings, { length: state.length, distinct: distinctCount });
  if (plan.lets === "none") return { empty: "FILTERED", bestSimilarity: null };

  const filter = createFilter(node, query, plan);
  const candidates = findCandidates(node, query, filter);
  if (candidates.slots.length === 0) return explainEmpty(node, query, filter);

  const extraction = new Extraction(node, query);
  const limit = ENSEMBLE_FACTOR * settings.maxPredictions;
  const order =
    candidates.slots.length <= limit
      ? sortCandidates(node, candidates)
      : pruneCandidates({ node, query, candidates, extraction, limit });
  const members = order.map((index) => ({
    slot: candidates.slots[index] ?? 0,
    similarity: candidates.similarities[index] ?? 0,
  }));
  return { members, extraction, empty: null };
}

interface SlotFilter {
  passes(slot: number): boolean;
  similarity(slot: number): number;
  /** undefined in character mode. */
  common: CommonLength | undefined;
}

function createFilter(node: NodeReplica, query: StateQuery, plan: FilterPlan): SlotFilter {
  const { state, settings } = query;
  const commonLength = commonLengthIn(node, query);
  const totalOf = (slot: number): number => node.patterns.lengthOf(slot) + state.length;
  const characters = settings.useTokenMatching ? undefined : new CharacterMatcher(node, query);
  const similarity = (slot: number): number =>
    characters === undefined
      ? tokenSimilarity(commonLength(slot), totalOf(slot))
      : characters.similarity(slot);
  const common = characters === undefined ? commonLength : undefined;
  if (plan.lets !== "some") return { passes: () => true, similarity, common };

  const overlaps = new OverlapCounter(node, query);
  const { passes, leastSimilarity } = plan;
  const ratio = (slot: number): number =>
    characters === undefined
      ? tokenRatio(commonLength(slot), totalOf(slot))
      : characters.similarity(slot);
  return {
    passes: (slot) => {
      const overlap = overlaps.count(slot);
      if (!passes(overlap)) return false;
      return leastSimilarity === null || (overlap.shared > 0 && ratio(slot) >= leastSimilarity);
    },
    similarity,
    common,
  };
}

function findCandidates(node: NodeReplica, query: StateQuery, filter: SlotFilter): Candidates {
  const { recallThreshold } = query.settings;
  const { frequencies } = node.patterns;
  const slots: number[] = [];
  const similarities: number[] = [];
  const commons: number[] = [];
  // Characters may be alike where no symbol is shared: such a pattern has no block, and drops out (§5.3).
  const needsShared = filter.common === undefined && recallThreshold > 0;
  const overlaps = new OverlapCounter(node, query);
  slotsWorthALook(node, query, (slot) => {
    if (frequencies[slot] === 0 || (needsShared && !overlaps.sharesAny(slot))) return;
    if (!filter.passes(slot)) return;
    const common = filter.common?.(slot);
    const similarity =
      common === undefined
        ? filter.similarity(slot)
        : tokenSimilarity(common, node.patterns.lengthOf(slot) + query.state.length);
    if (similarity < recallThreshold) return;
    slots.push(slot);
    similarities.push(similarity);
    if (common !== undefined) commons.push(common);
  });
  return { slots, similarities, commons };
}

/** Looks at all patterns once more: whether any passed the filters, and how near the best of them came. */
function explainEmpty(node: NodeReplica, query: StateQuery, filter: SlotFilter): IndexSearchResult {
  const overlaps = new OverlapCounter(node, query);
  let hasPassed = false;
  let best = 0;
  for (let slot = 0; slot < node.patterns.size; slot += 1) {
    if (node.patterns.frequencyOf(slot) === 0 || !filter.passes(slot)) continue;
    hasPassed = true;
    if (overlaps.sharesAny(slot)) best = Math.max(best, filter.similarity(slot));
  }
  return hasPassed
    ? { empty: "BELOW_THRESHOLD", bestSimilarity: best }
    : { empty: "FILTERED", bestSimilarity: null };
}
