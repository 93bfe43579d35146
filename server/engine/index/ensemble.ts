import type { SequencePrediction, WeightedFigures } from "@kato-rpc/shared/prediction.ts";

import { UNWEIGHTED } from "../affinity.ts";
import { entropy, globalNormalizedEntropy, normalizedEntropy } from "../distributions.ts";
import {
  confluenceOf,
  cosineDistance,
  itfdfSimilarityOf,
  patternsWithSymbol,
  symbolWeight,
} from "../ensemble-metrics.ts";
import type { IntrinsicMetrics } from "../long-term-memory.ts";
import type { BaseFigures } from "../metrics.ts";
import { potentialOf } from "../metrics.ts";
import type { EnsembleMember } from "./candidate-search.ts";
import type { Extraction } from "./extraction.ts";
import type { FutureGroup } from "./future-groups.ts";
import { FutureGroups } from "./future-groups.ts";
import { intrinsicMetricsOf } from "./intrinsic-metrics.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";
import { stateWeightsOf } from "./state-weights.ts";
import { SymbolCounts } from "./symbol-counts.ts";

/** The numbers of a prediction, all that ranking needs. */
export type Figures = Omit<
  SequencePrediction,
  | "type"
  | "name"
  | "emotives"
  | "matches"
  | "past"
  | "present"
  | "future"
  | "missing"
  | "extras"
  | "anomalies"
  | "sequence"
> & { slot: number };

export interface FiguredEnsemble {
  /** One per member, in the order of the ensemble. */
  figures: Figures[];
  futures: FutureGroup[];
}

interface Extracted extends EnsembleMember, BaseFigures, WeightedFigures {
  frequency: number;
  presentStart: number;
  presentEnd: number;
  future: FutureGroup | undefined;
}

/** All that depends on the other members (prediction.md §8): the figures of `figureEnsemble`, made in the same order. */
export class EnsembleFigures {
  readonly #node: NodeReplica;
  readonly #query: StateQuery;
  readonly #counts: SymbolCounts;
  /** By symbol id: whether P is defined, as some member matched or misses the symbol. */
  readonly #isDefined: Uint8Array;
  readonly #futures: FutureGroups;
  #frequencies = 0;
  #evidence = 0;
  #futureWeights = 0;
  /** Per term less one, its count in the state times P. */
  #stateVector: number[] = [];
  #stateSquares = 0;

  constructor(node: NodeReplica, query: StateQuery) {
    this.#node = node;
    this.#query = query;
    this.#counts = new SymbolCounts(node);
    this.#isDefined = new Uint8Array(node.symbols.size);
    this.#futures = new FutureGroups(node);
  }

  figure(members: readonly EnsembleMember[], extraction: Extraction): FiguredEnsemble {
    const extracted = this.#extractAll(members, extraction);
    for (const { frequency } of extracted) this.#frequencies += frequency;
    for (const { similarity, frequency } of extracted) {
      this.#evidence += similarity * (frequency / this.#frequencies);
    }
    const futures = this.#futures.groups();
    for (const { weight } of futures) this.#futureWeights += weight;
    this.#weighState();
    return { figures: extracted.map((member) => this.#figureMember(member)), futures };
  }

  #extractAll(members: readonly EnsembleMember[], extraction: Extraction): Extracted[] {
    const { patterns } = this.#node;
    const weights = stateWeightsOf(this.#node, this.#query);
    return members.map(({ slot, similarity }) => {
      extraction.extract(slot);
      const { presentStart, presentEnd, evidence, confidence, snr, fragmentation } = extraction;
      const frequency = patterns.frequencyOf(slot);
      this.#define(slot, extraction);
      const future = this.#futures.add(slot, presentEnd, frequency * similarity);
      const weighted = weights?.figures(slot, extraction) ?? UNWEIGHTED;
      return {
        slot,
        similarity,
        frequency,
        presentStart,
        presentEnd,
        evidence,
        confidence,
        snr,
        fragmentation,
        future,
        weightedSimilarity: weighted.weightedSimilarity,
        weightedEvidence: weighted.weightedEvidence,
        weightedConfidence: weighted.weightedConfidence,
        weightedSnr: weighted.weightedSnr,
      };
    });
  }

  /** A symbol of `present` is matched or missing; in fuzzy mode a match may also stand outside. */
  #define(slot: number, extraction: Extraction): void {
    const { presentStart, presentEnd } = extraction;
    const { patterns } = this.#node;
    const start = patterns.startOf(slot);
    for (let at = start + presentStart; at < start + presentEnd; at += 1) {
      this.#isDefined[(patterns.symbols[at] ?? 0) & SYMBOL_BITS] = 1;
    }
    if (extraction.fuzzy === undefined) return;
    for (const position of extraction.matchedPositions(slot)) {
      const id = this.#query.symbolIds[(this.#query.terms[position] ?? 0) - 1];
      if (id !== undefined) this.#isDefined[id] = 1;
    }
  }

  /** P of prediction.md §8.2; undefined where it is not defined. */
  #probability(id: number): number | undefined {
    if (this.#isDefined[id] === 0) return undefined;
    return this.#node.symbols.members(id) / this.#node.totals().patterns;
  }

  #weighState(): void {
    const { symbolIds } = this.#query;
    this.#stateVector = symbolIds.map(
      (id, index) => (this.#probability(id) ?? 0) * this.#query.occurrencesOf(index + 1),
    );
    for (const value of this.#stateVector) this.#stateSquares += value * value;
  }

  #figureMember(member: Extracted): Figures {
    const { slot, similarity, frequency, future } = member;
    const prior = frequency / this.#frequencies;
    const weightedStrength = similarity * prior;
    const share =
      future === undefined || this.#futureWeights === 0 ? 0 : future.weight / this.#futureWeights;
    this.#counts.count(slot, member.presentStart, member.presentEnd);
    const probabilities = this.#counts.ids.map((id) => this.#probability(id) ?? 0);
    const itfdfSimilarity = this.#itfdfSimilarity(probabilities, frequency);
    const confluence = this.#confluence(member);
    const intrinsic =
      intrinsicMetricsOf(this.#node, slot, this.#counts) ?? this.#distribution(probabilities);
    // Intrinsic metrics have recounted, over the whole pattern: so is tf-idf then.
    const tfidfScore = this.#tfidfScore();
    const effective = {
      evidence: member.weightedEvidence ?? member.evidence,
      confidence: member.weightedConfidence ?? member.confidence,
      snr: member.weightedSnr ?? member.snr,
      fragmentation: member.fragmentation,
    };
    return {
      slot,
      frequency,
      potential: potentialOf(effective, itfdfSimilarity),
      evidence: member.evidence,
      similarity,
      fragmentation: member.fragmentation,
      snr: member.snr,
      confluence,
      predictiveInformation: share > 0 ? weightedStrength / share : 0,
      confidence: member.confidence,
      entropy: intrinsic.entropy,
      normalizedEntropy: intrinsic.normalizedEntropy,
      globalNormalizedEntropy: intrinsic.globalNormalizedEntropy,
      itfdfSimilarity,
      tfidfScore,
      patternProbability: prior,
      weightedStrength,
      bayesianPosterior: this.#evidence === 0 ? 0 : weightedStrength / this.#evidence,
      bayesianPrior: prior,
      bayesianLikelihood: similarity,
      weightedSimilarity: member.weightedSimilarity,
      weightedEvidence: member.weightedEvidence,
      weightedConfidence: member.weightedConfidence,
      weightedSnr: member.weightedSnr,
    };
  }

  #itfdfSimilarity(probabilities: readonly number[], frequency: number): number {
    const { symbolIds } = this.#query;
    let squares = 0;
    for (const [index, p] of probabilities.entries()) {
      const value = p * (this.#counts.counts[index] ?? 0);
      squares += value * value;
    }
    let product = 0;
    for (const [index, id] of symbolIds.entries()) {
      const value = (this.#probability(id) ?? 0) * this.#counts.countOf(id);
      product += (this.#stateVector[index] ?? 0) * value;
    }
    const distance = cosineDistance(product, this.#stateSquares, squares);
    return itfdfSimilarityOf(distance, frequency, this.#frequencies);
  }

  #confluence({ slot, presentStart, presentEnd, frequency }: Extracted): number {
    const { patterns } = this.#node;
    const start = patterns.startOf(slot);
    const probabilities: number[] = [];
    for (let at = start + presentStart; at < start + presentEnd; at += 1) {
      const id = (patterns.symbols[at] ?? 0) & SYMBOL_BITS;
      probabilities.push(this.#probability(id) ?? 0);
    }
    return confluenceOf(probabilities, frequency / this.#node.totals().patternFrequencies);
  }

  #distribution(probabilities: readonly number[]): IntrinsicMetrics {
    const { counts, total } = this.#counts;
    const { known } = this.#node.symbols;
    return {
      entropy: entropy(counts, total),
      normalizedEntropy: normalizedEntropy(counts, total, known),
      globalNormalizedEntropy: globalNormalizedEntropy(probabilities, known),
    };
  }

  #tfidfScore(): number {
    const { ids, counts, total } = this.#counts;
    const { patterns } = this.#node.totals();
    if (ids.length === 0) return 0;
    let sum = 0;
    for (const [index, id] of ids.entries()) {
      const k = patternsWithSymbol(this.#probability(id), patterns);
      sum += ((counts[index] ?? 0) / total) * symbolWeight(k, patterns);
    }
    return sum / ids.length;
  }
}
