import type { FuturePotential, SequencePrediction } from "@kato-rpc/shared/prediction.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

import { averageEmotives } from "../emotives.ts";
import type { Member } from "./ensemble.ts";
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
  readonly #matches: string[] = [];
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

  /** Writes name and lists into what has the member's figures. */
  describe(prediction: SequencePrediction, member: Member): void {
    const { slot, kept } = member;
    const { state, terms } = this.#query;
    const extraction = this.#extraction;
    if (kept >= 0) extraction.recall(slot, kept);
    else extraction.extract(slot);
    unset(this.#isMatched);
    const positions = extraction.matchedPositions(slot);
    for (let i = 0; i < positions.length; i += 1) {
      const position = positions[i] ?? 0;
      this.#matches[i] = state[position] ?? "";
      this.#isMatched[terms[position] ?? 0] = 1;
    }
    prediction.matches = this.#matches.slice(0, positions.length);
    // Term 0 is every symbol that the other side cannot have.
    this.#isMatched[0] = 0;
    this.#writeEvents(prediction, member);
    prediction.name = this.#node.patterns.hashOf(slot);
    prediction.emotives = averageEmotives(this.#node.emotivesOf(slot));
    prediction.extras = this.#findExtras();
    prediction.anomalies = extraction.fuzzy?.match(slot).anomalies ?? [];
  }

  /** Each event put where it belongs; marks the terms of the present. */
  #writeEvents(prediction: SequencePrediction, { slot, future }: Member): void {
    const start = this.#node.patterns.startOf(slot);
    const { presentStart, presentEnd } = this.#extraction;
    const sequence = this.#events.of(slot);
    const missing = this.#missing;
    let past = 0;
    let before = 0;
    unset(this.#isPresent);
    for (let position = 0; position < presentEnd; before += 1) {
      const event = sequence[before] ?? this.#noSymbols;
      if (position < presentStart) past += 1;
      else missing[before - past] = this.#findMissing(start + position, event);
      position += event.length;
    }
    prediction.past = sequence.slice(0, past);
    prediction.present = sequence.slice(past, before);
    prediction.future = sequence.slice(before);
    prediction.missing = missing.slice(0, before - past);
    prediction.sequence = sequence;
    if (future?.slot === slot) future.events = prediction.future;
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

/** As `fill(0)`, which takes longer for the few terms of most states. */
function unset(marks: Uint8Array): void {
  for (let i = 0; i < marks.length; i += 1) marks[i] = 0;
}

/** Highest share first; among equals the order of the ensemble. */
export function describeFutures(
  node: NodeReplica,
  query: StateQuery,
  { groups, events }: { groups: readonly FutureGroup[]; events: EventTexts },
): FuturePotential[] {
  const shares = query.arrays.doubles(groups.length);
  let weights = 0;
  for (const { weight } of groups) weights += weight;
  for (let i = 0; i < groups.length; i += 1) {
    shares[i] = weights === 0 ? 0 : (groups[i]?.weight ?? 0) / weights;
  }
  const order = descending(shares, groups.length, query);
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
