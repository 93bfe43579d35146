/** How often a node has learned a symbol. Both are at least 1: a symbol without pattern is not known. */
export interface SymbolStatistics {
  /** Occurrences in every learn of every pattern. */
  frequency: number;
  /** Patterns that have the symbol. */
  patternMemberFrequency: number;
}

/** The counters of a node (engine.md §7). */
export interface NodeTotals {
  /** Distinct patterns: U of prediction.md §8.2. */
  patterns: number;
  /** Always equal to `patterns`: a relearn does not raise it (quirk Q-13). G of prediction.md §8.2. */
  patternFrequencies: number;
  /** Distinct symbols: N of prediction.md §8.2. */
  symbols: number;
  /** Symbols of all patterns, each pattern counted as often as it was learned. */
  symbolOccurrences: number;
}

/** What finalize fixes for a pattern (sessions.md §9), over the whole of it, from the statistics of that moment. */
export interface IntrinsicMetrics {
  entropy: number;
  normalizedEntropy: number;
  globalNormalizedEntropy: number;
}
