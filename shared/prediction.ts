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
 * What one pattern says about short-term memory (prediction.md §10; the sections below are of it too). The pattern's events are `past`,
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
  /**
   * (evidence + confidence) · snr + itfdfSimilarity + 1 / (fragmentation + 1), the last term 0 when nothing matched; the
   * weighted figures instead while `affinityEmotive` is set (§8.5).
   */
  potential: number;
  /** Share of the pattern's symbols that matched, 0 to 1 (§6.4). */
  evidence: number;
  /**
   * How alike the pattern and short-term memory are as a whole, 0 to 1: twice their longest common subsequence by the
   * sum of their lengths, in symbols, or in characters without `useTokenMatching` (§4).
   */
  similarity: number;
  /** Runs of consecutive matches less one; −1 when nothing matched. */
  fragmentation: number;
  /** Signal to noise ratio, −1 to 1: matches against symbols of short-term memory that did not match (§6.4). */
  snr: number;
  /**
   * How much more often the pattern was learned than its present symbols would meet by chance (§8.3). May exceed 1 for
   * a pattern learned more than once.
   */
  confluence: number;
  /** `weightedStrength` by the weight that all patterns with the same future have together; 0 without a future (§8.3). */
  predictiveInformation: number;
  /** Share of the symbols of `present` that matched, 0 to 1; more only by fuzzy matches (§6.4). */
  confidence: number;
  /** Shannon entropy of the symbols of `present`, or of the whole pattern once the node was finalized; in bits (§8.3). */
  entropy: number;
  /** The same to the base of the number of symbols the node knows, 0 to 1. */
  normalizedEntropy: number;
  /** The same over the shares of the node's patterns that have each symbol. */
  globalNormalizedEntropy: number;
  /** One less the cosine distance to short-term memory, symbols weighted by how many patterns have them, by frequency (§8.3). */
  itfdfSimilarity: number;
  /** Mean tf-idf of the symbols of `present`, or of the whole pattern once the node was finalized (§8.3). */
  tfidfScore: number;
  /** Share of the learns of all patterns that were compared to the end, 0 to 1 (§8.3). */
  patternProbability: number;
  /** similarity · patternProbability. */
  weightedStrength: number;
  /** Prior times likelihood, as a share of the sum over all patterns that were compared to the end (§8.4). */
  bayesianPosterior: number;
  /** The same as `patternProbability`. */
  bayesianPrior: number;
  /** The same as `similarity`. */
  bayesianLikelihood: number;
};

/** What a pattern says that begins with the only symbol of short-term memory (prediction.md §2): lists are flat. */
export type SymbolPrediction = WeightedFigures & {
  /** 40 hex digits: the pattern's name without its prefix. */
  name: string;
  /** All events of the pattern. */
  patternData: Event[];
  /** Symbols of the pattern. */
  length: number;
  /** How often the pattern was learned, at least 1. */
  frequency: number;
  /** Average of the pattern's emotives. */
  emotives: Emotives;
  /** The only symbol, and so is `present`. */
  matches: string[];
  missing: string[];
  present: string[];
  past: string[];
  /** All symbols of the pattern but the first, the rest of its event included. */
  future: string[];
  extras: string[];
  /** 2 / (length + 1). */
  similarity: number;
  /** 1 / length. */
  evidence: number;
  /** Always 1. */
  confidence: number;
  /** Always 1. */
  snr: number;
  /** Always 0. */
  fragmentation: number;
  anomalies: Anomaly[];
  /** (evidence + confidence) · snr + 1, by which these predictions are ranked. */
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
