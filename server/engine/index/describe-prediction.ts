import type { FuturePotential, SequencePrediction } from "@kato-rpc/shared/prediction.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

import { averageEmotives } from "../emotives.ts";
import type { Figures } from "./ensemble.ts";
import type { EventTexts } from "./event-texts.ts";
import type { Extraction } from "./extraction.ts";
import type { FutureGroup } from "./future-groups.ts";
import { descending } from "./merge-sort.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";

/** Puts a prediction's symbols to its figures (prediction.md §6.1 to §6.3): only for those that are returned. */
export class PredictionWriter {
  readonly #node: NodeReplica;
  readonly #query: StateQuery;
  readonly #extraction: Extraction;
  readonly #events: EventTexts;
  /** By term: whether it was matched, and whether the present has it. */
  readonly #isMatched: Uint8Array;
  readonly #isPresent: Uint8Array;
  /** Of all events without a missing symbol, and without an extra one. */
  readonly #noSymbols: Event = [];
  /** Written anew for each prediction: a list that grows costs more than a copy of one that has. */
  readonly #missing: Event[] = [];
  readonly #extras: Event[] = [];

  constructor(
    node: NodeReplica,
    query: StateQuery,
    { extraction, events }: { extraction: Extraction; events: EventTexts },
  ) {
    this.#node = node;
    this.#query = query;
    this.#extraction = extraction;
    this.#events = events;
    this.#isMatched = new Uint8Array(query.symbolIds.length + 1);
    this.#isPresent = new Uint8Array(query.symbolIds.length + 1);
  }

  describe(figures: Figures): SequencePrediction {
    const { slot } = figures;
    const { state, terms } = this.#query;
    if (figures.kept >= 0) this.#extraction.recall(slot, figures.kept);
    else this.#extraction.extract(slot);
    this.#isMatched.fill(0);
    const positions = this.#extraction.matchedPositions(slot);
    const matches = positions.map((position) => state[position] ?? "");
    for (const position of positions) this.#isMatched[terms[position] ?? 0] = 1;
    // Term 0 is every symbol that the other side cannot have.
    this.#isMatched[0] = 0;
    const { past, present, future, missing, sequence } = this.#writeEvents(figures);
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

  /** Each event put where it belongs; marks the terms of the present. */
  #writeEvents({ slot, futureGroup }: Figures) {
    const start = this.#node.patterns.startOf(slot);
    const { presentStart, presentEnd } = this.#extraction;
    const sequence = this.#events.of(slot);
    const missing = this.#missing;
    let past = 0;
    let before = 0;
    this.#isPresent.fill(0);
    for (let position = 0; position < presentEnd; before += 1) {
      const event = sequence[before] ?? this.#noSymbols;
      if (position < presentStart) past += 1;
      else missing[before - past] = this.#findMissing(start + position, event);
      position += event.length;
    }
    const future = sequence.slice(before);
    if (futureGroup?.slot === slot) futureGroup.events = future;
    return {
      past: sequence.slice(0, past),
      present: sequence.slice(past, before),
      future,
      missing: missing.slice(0, before - past),
      sequence,
    };
  }

  #findMissing(at: number, event: Event): Event {
    const { symbols } = this.#node.patterns;
    let missing = this.#noSymbols;
    for (let i = 0; i < event.length; i += 1) {
      const term = this.#query.termOf[(symbols[at + i] ?? 0) & SYMBOL_BITS] ?? 0;
      this.#isPresent[term] = 1;
      if (this.#isMatched[term] !== 0) continue;
      if (event.length === 1) return event;
      if (missing === this.#noSymbols) missing = [];
      missing.push(event[i] ?? "");
    }
    return missing;
  }

  #findExtras(): Event[] {
    const { stm } = this.#query;
    let position = 0;
    for (let i = 0; i < stm.length; i += 1) {
      const event = stm[i] ?? this.#noSymbols;
      this.#extras[i] = this.#findExtrasOf(event, position);
      position += event.length;
    }
    return this.#extras.slice(0, stm.length);
  }

  /** Of the event at a position of the state. */
  #findExtrasOf(event: Event, position: number): Event {
    const { terms } = this.#query;
    let extras = this.#noSymbols;
    for (let i = 0; i < event.length; i += 1) {
      const term = terms[position + i] ?? 0;
      if (term > 0 && this.#isPresent[term] === 1) continue;
      if (event.length === 1) return event;
      if (extras === this.#noSymbols) extras = [];
      extras.push(event[i] ?? "");
    }
    return extras;
  }
}

/** Highest share first; among equals the order of the ensemble. */
export function describeFutures(
  node: NodeReplica,
  query: StateQuery,
  { groups, events }: { groups: readonly FutureGroup[]; events: EventTexts },
): FuturePotential[] {
  const shares = new Float64Array(groups.length);
  let weights = 0;
  for (const { weight } of groups) weights += weight;
  for (let i = 0; i < shares.length; i += 1) {
    shares[i] = weights === 0 ? 0 : (groups[i]?.weight ?? 0) / weights;
  }
  const order = descending(shares);
  return groups.map((_, place) => {
    const i = order[place] ?? 0;
    const { slot, start, members, weight, events: written } = groups[i] as FutureGroup;
    query.breathe(node.patterns.lengthOf(slot));
    return {
      future: written ?? events.of(slot, start),
      aggregatePotential: shares[i] ?? 0,
      supportingPatterns: members,
      totalWeightedFrequency: weight,
    };
  });
}
