import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Emotives } from "@kato-rpc/shared/observation.ts";

import { entropy, globalNormalizedEntropy, normalizedEntropy } from "./distributions.ts";
import { addAffinity, countOccurrences, mergeEmotives } from "./learning.ts";
import type { IntrinsicMetrics, NodeTotals, SymbolStatistics } from "./long-term-memory.ts";
import type {
  CorrectedPattern,
  LearnedPattern,
  NamedVector,
  NodeChange,
  StoredPattern,
} from "./node-change.ts";
import { uniteMetadata } from "./pattern-metadata.ts";
import { VectorIndex } from "./vector-index.ts";

/**
 * The long-term memory of one node, written to be read: what any replica or store of a node must hold after the same
 * changes (engine.md §7 and §8, sessions.md §9). Tests compare them with this one, which nobody tuned.
 */
export class NodeMemory {
  readonly #patterns = new Map<string, StoredPattern>();
  readonly #symbols = new Map<string, SymbolStatistics>();
  readonly #affinities = new Map<string, Emotives>();
  readonly #intrinsic = new Map<string, IntrinsicMetrics>();
  readonly vectors = new VectorIndex();

  /** Throws `PATTERN_NOT_FOUND` or `VECTOR_DIMENSION_MISMATCH`, and then has changed nothing. */
  apply(change: NodeChange): void {
    switch (change.kind) {
      case "learn":
        return this.#learn(change);
      case "index-vectors":
        return this.#indexVectors(change.vectors);
      case "correct":
        return this.#correct(change);
      case "forget":
        return this.#forget(change.hash);
      case "finalize":
        return this.#finalize();
      case "clear":
        return this.#clear();
    }
  }

  /** In order of their first learn. */
  patterns(): Iterable<StoredPattern> {
    return this.#patterns.values();
  }

  pattern(hash: string): StoredPattern | undefined {
    return this.#patterns.get(hash);
  }

  /** The metrics fixed by the last finalize; undefined for a pattern learned after it. */
  intrinsicMetrics(hash: string): IntrinsicMetrics | undefined {
    return this.#intrinsic.get(hash);
  }

  symbols(): Iterable<[symbol: string, statistics: SymbolStatistics]> {
    return this.#symbols;
  }

  /** Undefined when no pattern has the symbol. */
  symbol(symbol: string): SymbolStatistics | undefined {
    return this.#symbols.get(symbol);
  }

  /** Per emotive the sum that learns have brought; empty when there was none. Outlives the symbol's patterns. */
  affinity(symbol: string): Emotives {
    return this.#affinities.get(symbol) ?? Object.create(null);
  }

  totals(): NodeTotals {
    const patterns = this.#patterns.size;
    let symbolOccurrences = 0;
    for (const { frequency } of this.#symbols.values()) symbolOccurrences += frequency;
    return {
      patterns,
      patternFrequencies: patterns,
      symbols: this.#symbols.size,
      symbolOccurrences,
    };
  }

  #learn(learned: LearnedPattern): void {
    this.#indexVectors(learned.vectors);
    const { hash, events, emotives, metadata } = learned;
    const stored = this.#patterns.get(hash);
    if (stored === undefined) {
      const pattern = { hash, events, frequency: 1, emotives: [...emotives], metadata };
      this.#patterns.set(hash, pattern);
      this.#countSymbols(pattern, { learns: 1, patterns: 1 });
    } else {
      stored.frequency += 1;
      stored.emotives = mergeEmotives(stored.emotives, learned);
      stored.metadata = uniteMetadata(stored.metadata, metadata);
      this.#countSymbols(stored, { learns: 1, patterns: 0 });
    }
    for (const [symbol] of learned.affinity === null ? [] : learned.occurrences) {
      this.#affinities.set(symbol, addAffinity(this.affinity(symbol), learned.affinity ?? {}));
    }
  }

  /** Refuses all before it takes one. */
  #indexVectors(vectors: readonly NamedVector[]): void {
    this.vectors.requireOneDimension(vectors);
    for (const vector of vectors) this.vectors.add(vector);
  }

  /** Symbol statistics follow the frequency, as though the pattern had been learned that often. */
  #correct({ hash, frequency, emotives, metadata }: CorrectedPattern): void {
    const stored = this.#getPattern(hash);
    if (frequency !== undefined) {
      this.#countSymbols(stored, { learns: frequency - stored.frequency, patterns: 0 });
      stored.frequency = frequency;
    }
    stored.emotives = emotives ?? stored.emotives;
    stored.metadata = metadata ?? stored.metadata;
  }

  /** Takes with it what its learns counted, but not the affinities they brought. */
  #forget(hash: string): void {
    const stored = this.#getPattern(hash);
    this.#countSymbols(stored, { learns: -stored.frequency, patterns: -1 });
    this.#patterns.delete(hash);
    this.#intrinsic.delete(hash);
  }

  #countSymbols(pattern: StoredPattern, by: { learns: number; patterns: number }): void {
    for (const [symbol, count] of countOccurrences(pattern.events.flat())) {
      const known = this.#symbols.get(symbol) ?? { frequency: 0, patternMemberFrequency: 0 };
      const patternMemberFrequency = known.patternMemberFrequency + by.patterns;
      const frequency = known.frequency + count * by.learns;
      if (patternMemberFrequency === 0) this.#symbols.delete(symbol);
      else this.#symbols.set(symbol, { frequency, patternMemberFrequency });
    }
  }

  #finalize(): void {
    for (const { hash, events } of this.#patterns.values()) {
      this.#intrinsic.set(hash, this.#computeIntrinsicMetrics(events.flat()));
    }
  }

  /** sessions.md §9, over the whole pattern. */
  #computeIntrinsicMetrics(symbols: readonly string[]): IntrinsicMetrics {
    const occurrences = countOccurrences(symbols);
    const counts = occurrences.map(([, count]) => count);
    const probabilities = occurrences.map(
      ([symbol]) => (this.symbol(symbol)?.patternMemberFrequency ?? 0) / this.#patterns.size,
    );
    return {
      entropy: entropy(counts, symbols.length),
      normalizedEntropy: normalizedEntropy(counts, symbols.length, this.#symbols.size),
      globalNormalizedEntropy: globalNormalizedEntropy(probabilities, this.#symbols.size),
    };
  }

  #clear(): void {
    for (const part of [this.#patterns, this.#symbols, this.#affinities, this.#intrinsic]) {
      part.clear();
    }
    this.vectors.clear();
  }

  #getPattern(hash: string): StoredPattern {
    const stored = this.#patterns.get(hash);
    if (stored !== undefined) return stored;
    throw new ServiceError("PATTERN_NOT_FOUND", `The node has no pattern ${hash}`);
  }
}
