import type { FuturePotential, SequencePrediction } from "@kato-rpc/shared/prediction.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

import { averageEmotives } from "../emotives.ts";
import type { Figures } from "./ensemble.ts";
import type { Extraction } from "./extraction.ts";
import type { FutureGroup } from "./future-groups.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";

/** Puts a prediction's symbols to its figures (prediction.md §6.1 to §6.3): only for those that are returned. */
export class PredictionWriter {
  readonly #node: NodeReplica;
  readonly #query: StateQuery;
  readonly #extraction: Extraction;
  /** By term: whether it was matched, and whether the present has it. */
  readonly #isMatched: Uint8Array;
  readonly #isPresent: Uint8Array;

  constructor(node: NodeReplica, query: StateQuery, extraction: Extraction) {
    this.#node = node;
    this.#query = query;
    this.#extraction = extraction;
    this.#isMatched = new Uint8Array(query.symbolIds.length + 1);
    this.#isPresent = new Uint8Array(query.symbolIds.length + 1);
  }

  describe(figures: Figures): SequencePrediction {
    const { slot } = figures;
    const { state, terms } = this.#query;
    if (figures.kept >= 0) this.#extraction.recall(slot, figures.kept);
    else this.#extraction.extract(slot);
    this.#isMatched.fill(0);
    const matches: string[] = [];
    for (const position of this.#extraction.matchedPositions(slot)) {
      matches.push(state[position] ?? "");
      this.#isMatched[terms[position] ?? 0] = 1;
    }
    // Term 0 is every symbol that the other side cannot have.
    this.#isMatched[0] = 0;
    const { past, present, future, missing, sequence } = this.#writeEvents(slot);
    return {
      type: "prototypical",
      name: this.#node.patterns.hashOf(slot),
      frequency: figures.frequency,
      emotives: averageEmotives(this.#node.emotivesOf(slot)),
      matches,
      past,
      present,
      future,
      missing,
      extras: this.#findExtras(),
      anomalies: this.#extraction.fuzzy?.match(slot).anomalies ?? [],
      sequence,
      potential: figures.potential,
      evidence: figures.evidence,
      similarity: figures.similarity,
      fragmentation: figures.fragmentation,
      snr: figures.snr,
      confluence: figures.confluence,
      predictiveInformation: figures.predictiveInformation,
      confidence: figures.confidence,
      entropy: figures.entropy,
      normalizedEntropy: figures.normalizedEntropy,
      globalNormalizedEntropy: figures.globalNormalizedEntropy,
      itfdfSimilarity: figures.itfdfSimilarity,
      tfidfScore: figures.tfidfScore,
      patternProbability: figures.patternProbability,
      weightedStrength: figures.weightedStrength,
      bayesianPosterior: figures.bayesianPosterior,
      bayesianPrior: figures.bayesianPrior,
      bayesianLikelihood: figures.bayesianLikelihood,
      weightedSimilarity: figures.weightedSimilarity,
      weightedEvidence: figures.weightedEvidence,
      weightedConfidence: figures.weightedConfidence,
      weightedSnr: figures.weightedSnr,
    };
  }

  /** All events in one walk, each put where it belongs; marks the terms of the present. */
  #writeEvents(slot: number) {
    const { patterns } = this.#node;
    const { presentStart, presentEnd } = this.#extraction;
    const [start, end] = [patterns.startOf(slot), patterns.startOf(slot + 1)];
    const past: Event[] = [];
    const present: Event[] = [];
    const future: Event[] = [];
    const missing: Event[] = [];
    const sequence: Event[] = [];
    this.#isPresent.fill(0);
    for (let at = start; at < end;) {
      const event = this.#node.eventAt(at);
      sequence.push(event);
      if (at + event.length <= start + presentStart) past.push(event);
      else if (at >= start + presentEnd) future.push(event);
      else {
        present.push(event);
        missing.push(this.#findMissing(at, event));
      }
      at += event.length;
    }
    return { past, present, future, missing, sequence };
  }

  #findMissing(at: number, event: Event): Event {
    const { symbols } = this.#node.patterns;
    const missing: Event = [];
    for (let i = 0; i < event.length; i += 1) {
      const term = this.#query.termOf[(symbols[at + i] ?? 0) & SYMBOL_BITS] ?? 0;
      this.#isPresent[term] = 1;
      if (this.#isMatched[term] === 0) missing.push(event[i] ?? "");
    }
    return missing;
  }

  #findExtras(): Event[] {
    const { stm, terms } = this.#query;
    let position = 0;
    return stm.map((event) => {
      const extras: Event = [];
      for (const symbol of event) {
        const term = terms[position++] ?? 0;
        if (term === 0 || this.#isPresent[term] === 0) extras.push(symbol);
      }
      return extras;
    });
  }
}

/** Highest share first; among equals the order of the ensemble. */
export function describeFutures(
  node: NodeReplica,
  query: StateQuery,
  groups: readonly FutureGroup[],
): FuturePotential[] {
  let weights = 0;
  for (const { weight } of groups) weights += weight;
  return groups
    .map(({ slot, start, members, weight }) => {
      query.breathe(node.patterns.lengthOf(slot));
      return {
        future: node.eventsOf(slot, start),
        aggregatePotential: weights === 0 ? 0 : weight / weights,
        supportingPatterns: members,
        totalWeightedFrequency: weight,
      };
    })
    .sort((a, b) => b.aggregatePotential - a.aggregatePotential);
}
