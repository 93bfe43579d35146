import type { Emotives, Event } from "./observation.ts";
import type { PREDICTION_SETTINGS, SessionConfig } from "./session-config.ts";

/** The settings that a prediction follows. */
export type PredictionSettings = Pick<SessionConfig, (typeof PREDICTION_SETTINGS)[number]>;

/** A symbol that was observed in another spelling than the pattern has (fuzzy matching). */
export type Anomaly = { observed: string; expected: string; similarity: number };

/** The base figures weighted by an emotive's affinity; all null while no `affinityEmotive` is set. */
export type WeightedFigures = {
  weightedSimilarity: number | null;
  weightedEvidence: number | null;
  weightedConfidence: number | null;
  weightedSnr: number | null;
};

/**
 * What one pattern says about short-term memory (prediction.md §6 to §8 and §10). The pattern's events are `past`,
 * `present` (from the event of the first match to that of the last) and `future`, in this order.
 */
export type SequencePrediction = WeightedFigures & {
  type: "prototypical";
  /** 40 hex digits: the pattern's name without its prefix. */
  name: string;
  /** How often the pattern was learned, at least 1. */
  frequency: number;
  /** Average of the pattern's emotives. */
  emotives: Emotives;
  /** The symbols of short-term memory that the pattern has, in order. */
  matches: string[];
  past: Event[];
  present: Event[];
  future: Event[];
  /** Per event of `present`, its symbols that were not observed. */
  missing: Event[];
  /** Per event of short-term memory, its symbols that `present` does not have. */
  extras: Event[];
  anomalies: Anomaly[];
  /** All events of the pattern. */
  sequence: Event[];
  potential: number;
  evidence: number;
  similarity: number;
  /** Runs of consecutive matches less one; −1 when nothing matched. */
  fragmentation: number;
  /** Signal to noise ratio, −1 to 1. */
  snr: number;
  /** May exceed 1 for a pattern learned more than once. */
  confluence: number;
  predictiveInformation: number;
  confidence: number;
  /** In bits. */
  entropy: number;
  normalizedEntropy: number;
  globalNormalizedEntropy: number;
  itfdfSimilarity: number;
  tfidfScore: number;
  patternProbability: number;
  weightedStrength: number;
  bayesianPosterior: number;
  bayesianPrior: number;
  bayesianLikelihood: number;
};

/** What a pattern says that begins with the only symbol of short-term memory (prediction.md §2): lists are flat. */
export type SymbolPrediction = WeightedFigures & {
  name: string;
  patternData: Event[];
  length: number;
  frequency: number;
  emotives: Emotives;
  matches: string[];
  missing: string[];
  present: string[];
  past: string[];
  future: string[];
  extras: string[];
  similarity: number;
  evidence: number;
  confidence: number;
  snr: number;
  fragmentation: number;
  anomalies: Anomaly[];
  potential: number;
};

export type Prediction = SequencePrediction | SymbolPrediction;

/** A future that patterns agree on, and how much of the weight of all futures it has. */
export type FuturePotential = {
  future: Event[];
  /** Share of the weight, 0 to 1. */
  aggregatePotential: number;
  supportingPatterns: number;
  /** Sum of frequency times similarity. */
  totalWeightedFrequency: number;
};

/**
 * Why there are no predictions. `NO_SYMBOLS`: short-term memory is empty. `NO_PATTERNS`: the node has none, or none
 * that begins with the only symbol. `BELOW_THRESHOLD`: no pattern is similar enough, or shares a symbol. `FILTERED`:
 * the filter pipeline left none.
 */
export type EmptyReason = "NO_SYMBOLS" | "NO_PATTERNS" | "BELOW_THRESHOLD" | "FILTERED";

export type PredictionList = {
  /** Highest first by `rankSortAlgo`. */
  predictions: Prediction[];
  /** Highest `aggregatePotential` first; empty for a single symbol. */
  futurePotentials: FuturePotential[];
  /** null when there are predictions. */
  empty: EmptyReason | null;
  /** With `BELOW_THRESHOLD`, the highest similarity of a pattern that shares a symbol (0 when none does); else null. */
  bestSimilarity: number | null;
};
