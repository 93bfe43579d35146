import type { PredictionSettings } from "@kato-rpc/shared/prediction.ts";
import { DEFAULT_SESSION_CONFIG } from "@kato-rpc/shared/session-config.ts";

/** What the filters know of a pattern and the state (prediction.md §3.1). */
export interface Overlap {
  /** Symbols of the pattern, repeats included. */
  patternLength: number;
  /** Distinct symbols of the pattern. */
  patternDistinct: number;
  /** Distinct symbols that pattern and state share. */
  shared: number;
}

export interface StateSize {
  length: number;
  distinct: number;
}

/** The least similarity that the `rapidfuzz` stage lets pass when the recall threshold is 0. */
const RAPIDFUZZ_DEFAULT = 0.1;

/** What is left of a filter pipeline: `none` lets nothing pass, whatever the patterns. */
export type FilterPlan =
  | { lets: "all" }
  | { lets: "none" }
  | { lets: "some"; passes: (overlap: Overlap) => boolean; leastSimilarity: number | null };

/**
 * The pipeline as one question (prediction.md §3.1). Stages only take away, so their order matters in one respect: none
 * runs before the first of `length`, `jaccard` and `minhash`, and without one of them nothing passes. `bloom` has
 * no effect. `leastSimilarity` is that of the `rapidfuzz` stage, null without it. A setting of 0 means its default.
 */
export function planFilters(settings: PredictionSettings, state: StateSize): FilterPlan {
  const { filterPipeline } = settings;
  if (filterPipeline.length === 0) return { lets: "all" };

  const first = filterPipeline.findIndex((stage) => Object.hasOwn(STAGES, stage));
  if (first === -1) return { lets: "none" };

  const stages = filterPipeline.slice(first);
  const tests = stages.flatMap((stage) =>
    stage === "length" || stage === "jaccard" || stage === "minhash"
      ? [STAGES[stage](settings, state)]
      : [],
  );
  return {
    lets: "some",
    passes: (overlap) => tests.every((passes) => passes(overlap)),
    leastSimilarity: stages.includes("rapidfuzz")
      ? settings.recallThreshold || RAPIDFUZZ_DEFAULT
      : null,
  };
}

type Stage = (settings: PredictionSettings, state: StateSize) => (overlap: Overlap) => boolean;

const STAGES = {
  length: (settings, { length }) => {
    const { lengthMinRatio, lengthMaxRatio } = settings;
    const leastRatio = lengthMinRatio || DEFAULT_SESSION_CONFIG.lengthMinRatio;
    const least = Math.max(1, Math.trunc(length * leastRatio));
    const most = Math.trunc(length * lengthMaxRatio);
    return ({ patternLength }) => least <= patternLength && patternLength <= most;
  },
  jaccard: ({ jaccardThreshold, jaccardMinOverlap }, state) => {
    const least = jaccardThreshold || DEFAULT_SESSION_CONFIG.jaccardThreshold;
    return (overlap) => overlap.shared >= jaccardMinOverlap && jaccard(overlap, state) >= least;
  },
  minhash: ({ minhashThreshold }, state) => {
    const least = minhashThreshold || DEFAULT_SESSION_CONFIG.minhashThreshold;
    return (overlap) => jaccard(overlap, state) >= least;
  },
} as const satisfies Record<string, Stage>;

/** Shared among all distinct symbols of both; the state has at least one. */
function jaccard({ shared, patternDistinct }: Overlap, state: StateSize): number {
  return shared / (state.distinct + patternDistinct - shared);
}
