import type { SequencePrediction, WeightedFigures } from "@kato-rpc/shared/prediction.ts";

import { UNWEIGHTED } from "../affinity.ts";
import { NO_EMOTIVES } from "../emotives.ts";
import { cosineDistance, itfdfSimilarityOf, LEAST_PROBABILITY } from "../ensemble-metrics.ts";
import type { IntrinsicMetrics } from "../long-term-memory.ts";
import type { BaseFigures } from "../metrics.ts";
import { potentialOf } from "../metrics.ts";
import type { Ensemble } from "./candidate-search.ts";
import { EnsembleTerms } from "./ensemble-terms.ts";
import type { Extraction } from "./extraction.ts";
import type { FutureGroup } from "./future-groups.ts";
import { FutureGroups } from "./future-groups.ts";
import { intrinsicMetricsOf } from "./intrinsic-metrics.ts";
import { descending } from "./merge-sort.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";
import { stateWeightsOf } from "./state-weights.ts";
import { SymbolCounts } from "./symbol-counts.ts";

/**
 * Stands for the lists that are written later: a prediction is one object from its figures on, so that its two dozen
 * numbers are not copied into a second one.
 */
const UNWRITTEN = Object.freeze<never[]>([]) as never[];

export interface FiguredEnsemble {
  /** Those that are returned, ranked. */
  members: Member[];
  /** Of each of them its figures; its name and lists are still to be written. */
  predictions: SequencePrediction[];
  futures: FutureGroup[];
}

export interface Member extends BaseFigures {
  slot: number;
  similarity: number;
  /** Where its extraction is kept; −1 where it is not. */
  kept: number;
  weighted: WeightedFigures;
  frequency: number;
  presentStart: number;
  presentEnd: number;
  future: FutureGroup | undefined;
  /** 0 until the whole ensemble is known. */
  itfdfSimilarity: number;
}

/**
 * All that depends on the other members (prediction.md §8): the figures of `figureEnsemble`, of the same terms added in the
 * same order, without its lists.
 */
export class EnsembleFigures {
  readonly #node: NodeReplica;
  readonly #query: StateQuery;
  readonly #counts: SymbolCounts;
  readonly #terms: EnsembleTerms;
  readonly #futures: FutureGroups;
  readonly #patternFrequencies: number;
  #frequencies = 0;
  #evidence = 0;
  #futureWeights = 0;
  /** Per term less one, its count in the state times P. */
  #stateVector: number[] = [];
  #stateSquares = 0;

  constructor(node: NodeReplica, query: StateQuery) {
    this.#node = node;
    this.#query = query;
    this.#counts = new SymbolCounts(node, query.scratch.places, query.arrays);
    this.#terms = new EnsembleTerms(node, query.scratch.defined, query.arrays);
    this.#futures = new FutureGroups(node, query.arrays);
    this.#patternFrequencies = node.totals().patternFrequencies;
  }

  figure(ensemble: Ensemble, extraction: Extraction): FiguredEnsemble {
    const extracted = this.#extractAll(ensemble, extraction);
    for (const { frequency } of extracted) this.#frequencies += frequency;
    for (const { similarity, frequency } of extracted) {
      this.#evidence += similarity * (frequency / this.#frequencies);
    }
    const futures = this.#futures.groups();
    for (const { weight } of futures) this.#futureWeights += weight;
    this.#weighState();
    for (const member of extracted) member.itfdfSimilarity = this.#itfdfSimilarity(member);
    const ranked = this.#rank(extracted);
    return {
      members: ranked,
      predictions: ranked.map((each) => this.#figureMember(each)),
      futures,
    };
  }

  /** As `rankBy`; by potential, a member that isn't returned has no other figures computed. */
  #rank(extracted: readonly Member[]): Member[] {
    const { rankSortAlgo, maxPredictions } = this.#query.settings;
    const keys = this.#query.arrays.doubles(extracted.length);
    for (let i = 0; i < extracted.length; i += 1) {
      const member = extracted[i] as Member;
      keys[i] =
        rankSortAlgo === "potential"
          ? potentialOf(effectiveFigures(member), member.itfdfSimilarity)
          : (this.#figureMember(member)[rankSortAlgo] ?? -Infinity);
    }
    const order = descending(keys, extracted.length, this.#query);
    return extracted
      .slice(0, maxPredictions)
      .map((_, place) => extracted[order[place] ?? 0] as Member);
  }

  #extractAll({ candidates, order, kept: allKept }: Ensemble, extraction: Extraction): Member[] {
    const { patterns } = this.#node;
    const weights = stateWeightsOf(this.#node, this.#query);
    const extracted: Member[] = [];
    for (const index of order) {
      const slot = candidates.slots[index] ?? 0;
      const similarity = candidates.similarities[index] ?? 0;
      const kept = allKept?.[index] ?? -1;
      this.#query.breathe(patterns.lengthOf(slot));
      if (kept >= 0) extraction.recall(slot, kept);
      else extraction.extract(slot, candidates.commons?.[index]);
      const { presentStart, presentEnd, evidence, confidence, snr, fragmentation } = extraction;
      const frequency = patterns.frequencyOf(slot);
      this.#define(slot, extraction);
      const future = this.#futures.add(slot, presentEnd, frequency * similarity);
      extracted.push({
        slot,
        similarity,
        kept: kept < 0 && extraction.fuzzy === undefined ? extraction.keep() : kept,
        frequency,
        presentStart,
        presentEnd,
        evidence,
        confidence,
        snr,
        fragmentation,
        future,
        weighted: weights?.figures(slot, extraction) ?? UNWEIGHTED,
        itfdfSimilarity: 0,
      });
    }
    return extracted;
  }

  /** A symbol of `present` is matched or missing; in fuzzy mode a match may also stand outside. */
  #define(slot: number, extraction: Extraction): void {
    const { presentStart, presentEnd } = extraction;
    const { patterns } = this.#node;
    const start = patterns.startOf(slot);
    for (let at = start + presentStart; at < start + presentEnd; at += 1) {
      this.#terms.define((patterns.symbols[at] ?? 0) & SYMBOL_BITS);
    }
    if (extraction.fuzzy === undefined) return;
    for (const position of extraction.matchedPositions(slot)) {
      const id = this.#query.symbolIds[(this.#query.terms[position] ?? 0) - 1];
      if (id !== undefined) this.#terms.define(id);
    }
  }

  #weighState(): void {
    const { symbolIds } = this.#query;
    this.#stateVector = symbolIds.map(
      (id, index) => this.#terms.probability(id) * this.#query.masks.occurrencesOf(index + 1),
    );
    for (const value of this.#stateVector) this.#stateSquares += value * value;
  }

  #figureMember(member: Member): SequencePrediction {
    const { slot, similarity, frequency, future } = member;
    this.#query.breathe(this.#node.patterns.lengthOf(slot));
    const prior = frequency / this.#frequencies;
    const weightedStrength = similarity * prior;
    const share =
      future === undefined || this.#futureWeights === 0 ? 0 : future.weight / this.#futureWeights;
    this.#counts.count(slot, member.presentStart, member.presentEnd);
    const confluence = this.#confluence(member);
    const intrinsic = intrinsicMetricsOf(this.#node, slot, this.#counts) ?? this.#distribution();
    // Intrinsic metrics have recounted, over the whole pattern: so is tf-idf then.
    const tfidfScore = this.#tfidfScore();
    return {
      type: "prototypical",
      name: "",
      frequency,
      emotives: NO_EMOTIVES,
      matches: UNWRITTEN,
      past: UNWRITTEN,
      present: UNWRITTEN,
      future: UNWRITTEN,
      missing: UNWRITTEN,
      extras: UNWRITTEN,
      anomalies: UNWRITTEN,
      sequence: UNWRITTEN,
      potential: potentialOf(effectiveFigures(member), member.itfdfSimilarity),
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
      itfdfSimilarity: member.itfdfSimilarity,
      tfidfScore,
      patternProbability: prior,
      weightedStrength,
      bayesianPosterior: this.#evidence === 0 ? 0 : weightedStrength / this.#evidence,
      bayesianPrior: prior,
      bayesianLikelihood: similarity,
      weightedSimilarity: member.weighted.weightedSimilarity,
      weightedEvidence: member.weighted.weightedEvidence,
      weightedConfidence: member.weighted.weightedConfidence,
      weightedSnr: member.weighted.weightedSnr,
    };
  }

  #itfdfSimilarity({ slot, presentStart, presentEnd, frequency }: Member): number {
    const { symbolIds } = this.#query;
    this.#query.breathe(this.#node.patterns.lengthOf(slot));
    this.#counts.count(slot, presentStart, presentEnd);
    const { ids, counts, distinct } = this.#counts;
    let squares = 0;
    for (let i = 0; i < distinct; i += 1) {
      const value = this.#terms.probability(ids[i] ?? 0) * (counts[i] ?? 0);
      squares += value * value;
    }
    let product = 0;
    for (let i = 0; i < symbolIds.length; i += 1) {
      const id = symbolIds[i] ?? 0;
      const count = this.#counts.countOf(id);
      if (count === 0) continue;
      const value = this.#terms.probability(id) * count;
      product += (this.#stateVector[i] ?? 0) * value;
    }
    const distance = cosineDistance(product, this.#stateSquares, squares);
    return itfdfSimilarityOf(distance, frequency, this.#frequencies);
  }

  /** As `confluenceOf`, over the symbols of the present with repeats. */
  #confluence({ slot, presentStart, presentEnd, frequency }: Member): number {
    if (presentStart === presentEnd) return 0;
    const { symbols, starts } = this.#node.patterns;
    const start = starts[slot] ?? 0;
    let product = 1;
    for (let at = start + presentStart; at < start + presentEnd; at += 1) {
      const p = this.#terms.probability((symbols[at] ?? 0) & SYMBOL_BITS);
      product *= p > 0 ? p : LEAST_PROBABILITY;
    }
    return (frequency / this.#patternFrequencies) * (1 - product);
  }

  /** As the functions of `distributions.ts`, all three in one walk. */
  #distribution(): IntrinsicMetrics {
    const { ids, counts, distinct, total } = this.#counts;
    let entropy = 0;
    let normalizedEntropy = 0;
    let globalNormalizedEntropy = 0;
    for (let i = 0; i < distinct; i += 1) {
      const count = counts[i] ?? 0;
      entropy -= this.#terms.bitTerm(count, total);
      normalizedEntropy -= this.#terms.normalTerm(count, total);
      globalNormalizedEntropy -= this.#terms.globalTerm(ids[i] ?? 0);
    }
    return this.#node.symbols.known <= 1
      ? { entropy, normalizedEntropy: 0, globalNormalizedEntropy: 0 }
      : { entropy, normalizedEntropy, globalNormalizedEntropy };
  }

  #tfidfScore(): number {
    const { ids, counts, distinct, total } = this.#counts;
    if (distinct === 0) return 0;
    let sum = 0;
    for (let i = 0; i < distinct; i += 1) {
      sum += ((counts[i] ?? 0) / total) * this.#terms.symbolWeight(ids[i] ?? 0);
    }
    return sum / distinct;
  }
}

function effectiveFigures(member: Member): BaseFigures {
  const { weighted } = member;
  if (weighted === UNWEIGHTED) return member;
  return {
    evidence: weighted.weightedEvidence ?? member.evidence,
    confidence: weighted.weightedConfidence ?? member.confidence,
    snr: weighted.weightedSnr ?? member.snr,
    fragmentation: member.fragmentation,
  };
}
