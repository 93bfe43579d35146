import { z } from "zod";
import { atMostBytes, wellFormed } from "./checks.ts";

/** Fields of a prediction that predictions may be ranked by, highest first (prediction.md §9). */
export const RANK_FIELDS = [
  "potential",
  "similarity",
  "evidence",
  "confidence",
  "snr",
  "fragmentation",
  "frequency",
  "normalizedEntropy",
  "globalNormalizedEntropy",
  "itfdfSimilarity",
  "confluence",
  "predictiveInformation",
  "bayesianPosterior",
  "bayesianPrior",
  "bayesianLikelihood",
  "tfidfScore",
  "weightedSimilarity",
  "weightedEvidence",
  "weightedConfidence",
  "weightedSnr",
] as const;

/** Stages of the candidate filter, run in the order given (`bloom` has no effect). */
export const FILTER_STAGES = ["minhash", "length", "jaccard", "bloom", "rapidfuzz"] as const;

const fraction = z.number().min(0).max(1);

const settings = {
  maxPatternLength: z.int().min(0),
  stmMode: z.enum(["CLEAR", "ROLLING"]),
  persistence: z.int().min(1).max(100),
  recallThreshold: fraction,
  maxPredictions: z.int().min(1).max(10_000),
  useTokenMatching: z.boolean(),
  sortSymbols: z.boolean(),
  processPredictions: z.boolean(),
  fuzzyTokenThreshold: fraction,
  rankSortAlgo: z.enum(RANK_FIELDS),
  affinityEmotive: z.string().check(wellFormed, atMostBytes("symbolBytes")),
  filterPipeline: z.array(z.enum(FILTER_STAGES)).max(16),
  lengthMinRatio: fraction,
  lengthMaxRatio: z.number().min(1),
  jaccardThreshold: fraction,
  jaccardMinOverlap: z.int().min(1),
  minhashThreshold: fraction,
};

type Settings = { [K in keyof typeof settings]: z.infer<(typeof settings)[K]> };

/** The settings that a session has given itself; what is absent follows the defaults. */
export type SessionConfigPatch = { [K in keyof Settings]?: Settings[K] | null | undefined };

/** Every setting as it applies; null where a setting is unset and has no default. */
export type SessionConfig = { [K in keyof Settings]: Settings[K] | null } & Omit<
  Settings,
  "fuzzyTokenThreshold" | "affinityEmotive"
>;

/** Strict: an unknown key or a value out of range is refused; null unsets a key. */
export const sessionConfigPatchSchema: z.ZodType<SessionConfigPatch, SessionConfigPatch> =
  z.strictObject(
    Object.fromEntries(
      Object.entries(settings).map(([key, schema]) => [key, schema.nullish()]),
    ) as { [K in keyof Settings]: z.ZodOptional<z.ZodNullable<(typeof settings)[K]>> },
  );

/** The settings that a prediction follows; `overrides` of a call may change them for that call. */
export const PREDICTION_SETTINGS = [
  "recallThreshold",
  "maxPredictions",
  "useTokenMatching",
  "fuzzyTokenThreshold",
  "rankSortAlgo",
  "affinityEmotive",
  "filterPipeline",
  "lengthMinRatio",
  "lengthMaxRatio",
  "jaccardThreshold",
  "jaccardMinOverlap",
  "minhashThreshold",
] as const satisfies (keyof Settings)[];

export type PredictionOverrides = Pick<SessionConfigPatch, (typeof PREDICTION_SETTINGS)[number]>;

/** Strict like a session's configuration; null is the default, whatever the session has. */
export const predictionOverridesSchema: z.ZodType<PredictionOverrides, PredictionOverrides> =
  z.strictObject(
    Object.fromEntries(PREDICTION_SETTINGS.map((key) => [key, settings[key].nullish()])) as {
      [K in (typeof PREDICTION_SETTINGS)[number]]: z.ZodOptional<
        z.ZodNullable<(typeof settings)[K]>
      >;
    },
  );

export const DEFAULT_SESSION_CONFIG: Readonly<SessionConfig> = Object.freeze({
  maxPatternLength: 0,
  stmMode: "CLEAR",
  persistence: 5,
  recallThreshold: 0.1,
  maxPredictions: 100,
  useTokenMatching: true,
  sortSymbols: true,
  processPredictions: true,
  fuzzyTokenThreshold: null,
  rankSortAlgo: "potential",
  affinityEmotive: null,
  filterPipeline: [],
  lengthMinRatio: 0.5,
  lengthMaxRatio: 2,
  jaccardThreshold: 0.3,
  jaccardMinOverlap: 2,
  minhashThreshold: 0.7,
});

/** `own` with `patch` applied: null removes a setting, undefined leaves it. */
export function patchConfig(
  own: SessionConfigPatch,
  patch: SessionConfigPatch,
): SessionConfigPatch {
  const patched: Record<string, unknown> = { ...own };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete patched[key];
    else if (value !== undefined) patched[key] = value;
  }
  return patched;
}

export function effectiveConfig(own: SessionConfigPatch): Readonly<SessionConfig> {
  // As most sessions have it: nothing of its own.
  for (const _ in own) return { ...DEFAULT_SESSION_CONFIG, ...own } as SessionConfig;
  return DEFAULT_SESSION_CONFIG;
}
