import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Emotives, Event } from "@kato-rpc/shared/observation.ts";

import { countOccurrences, mergeEmotives } from "../learning.ts";
import type { NodeTotals, SymbolStatistics } from "../long-term-memory.ts";
import type {
  CorrectedPattern,
  LearnedPattern,
  NamedVector,
  NodeChange,
  StoredPattern,
} from "../node-change.ts";
import { ContextIndex } from "../next/context-index.ts";
import { uniteMetadata } from "../pattern-metadata.ts";
import { VectorIndex } from "../vector-index.ts";
import { AffinityTable } from "./affinity-table.ts";
import type { FinalizedStatistics, LoadedFinalized } from "./finalized-statistics.ts";
import { EVENT_END, PatternTable, SYMBOL_BITS } from "./pattern-table.ts";
import { PostingLists } from "./posting-lists.ts";
import { QueryScratch } from "./query-scratch.ts";
import { SlotDetails } from "./slot-details.ts";
import { SymbolTable } from "./symbol-table.ts";
import { WorkMeter } from "./work-meter.ts";

/** Forgotten slots are packed away when there are more of them than this, and than patterns. */
const FORGOTTEN_SLOTS_KEPT = 1024;

/**
 * The long-term memory of one node as an index on typed arrays: what a worker keeps to predict from. It holds what
 * `NodeMemory` holds after the same changes, in about 150 bytes for a pattern of ten symbols.
 */
export class NodeReplica {
  patterns = new PatternTable();
  symbols = new SymbolTable();
  postings = new PostingLists();
  finalized: FinalizedStatistics | undefined;
  readonly vectors = new VectorIndex();
  #patternCount = 0;
  #symbolOccurrences = 0;
  #details = new SlotDetails();
  #affinities = new AffinityTable();
  readonly #scratches: QueryScratch[] = [];
  /** Made when it is first asked for: who never asks what comes next does not pay for it. */
  #contexts: ContextIndex | undefined;

  /** Throws `PATTERN_NOT_FOUND` or `VECTOR_DIMENSION_MISMATCH`, and then has changed nothing. */
  apply(change: NodeChange): void {
    switch (change.kind) {
      case "learn":
        return this.#learn(change);
      case "index-vectors":
        return this.indexVectors(change.vectors);
      case "correct":
        return this.#correct(change);
      case "forget":
        return this.#forget(this.#getSlot(change.hash));
      case "finalize":
        return this.#finalize();
      case "clear":
        return this.#clear();
    }
  }

  /** Takes a pattern that a store has kept, and counts its symbols. Patterns come in the order of their first learn. */
  load(pattern: StoredPattern): void {
    const { events, frequency, emotives, metadata } = pattern;
    const ids = events.map((event) => event.map((symbol) => this.symbols.intern(symbol)));
    const slot = this.patterns.add(pattern.hash, ids, frequency);
    this.#patternCount += 1;
    for (const [symbol, count] of countOccurrences(ids.flat())) {
      this.postings.add(symbol, slot);
      this.symbols.count(symbol, { occurrences: count * frequency, patterns: 1 });
    }
    this.#symbolOccurrences += this.patterns.lengthOf(slot) * frequency;
    this.#contexts?.add(slot);
    this.#details.setEmotives(slot, emotives);
    this.#details.setMetadata(slot, metadata);
  }

  /** Takes the affinity of a symbol that a store has kept. */
  loadAffinity(symbol: string, affinity: Emotives): void {
    this.#affinities.set(symbol, affinity);
  }

  /** Takes what a store has kept of the last finalize, once all patterns are loaded. */
  loadFinalized({ members, ...totals }: LoadedFinalized): void {
    const counts = new Uint32Array(this.symbols.size);
    for (const [symbol, patterns] of members) {
      const id = this.symbols.find(symbol);
      // No pattern that is left has the others, and what is learned now is not covered.
      if (id !== undefined) counts[id] = patterns;
    }
    this.finalized = { ...totals, members: counts };
  }

  pattern(hash: string): StoredPattern | undefined {
    const slot = this.patterns.find(hash);
    return slot < 0 ? undefined : this.#read(slot);
  }

  /** In the order of their first learn. */
  *storedPatterns(): Generator<StoredPattern> {
    for (let slot = 0; slot < this.patterns.size; slot += 1) {
      if (this.patterns.frequencyOf(slot) > 0) yield this.#read(slot);
    }
  }

  symbol(symbol: string): SymbolStatistics | undefined {
    const id = this.symbols.find(symbol);
    if (id === undefined || this.symbols.members(id) === 0) return undefined;
    return {
      frequency: this.symbols.frequency(id),
      patternMemberFrequency: this.symbols.members(id),
    };
  }

  /** Per emotive the sum that learns have brought; empty when there was none. Outlives the symbol's patterns. */
  affinity(symbol: string): Emotives {
    return this.#affinities.of(symbol);
  }

  emotivesOf(slot: number): readonly Emotives[] {
    return this.#details.emotivesOf(slot);
  }

  /** The events from a position of the pattern on, at which one must begin. */
  eventsOf(slot: number, position = 0): Event[] {
    const { patterns } = this;
    const events: Event[] = [];
    const end = patterns.startOf(slot + 1);
    for (let at = patterns.startOf(slot) + position; at < end;) {
      const event = this.eventAt(at);
      events.push(event);
      at += event.length;
    }
    return events;
  }

  /** The event that begins at a place among the symbols of all patterns. */
  eventAt(start: number): Event {
    return this.symbolsAt(start).map((symbol) => this.symbols.text(symbol));
  }

  /** The same as ids. */
  symbolsAt(start: number): number[] {
    const all = this.patterns.symbols;
    let symbol = all[start] ?? EVENT_END;
    const event = [symbol & SYMBOL_BITS];
    for (let at = start + 1; symbol >= 0; at += 1) {
      symbol = all[at] ?? EVENT_END;
      event.push(symbol & SYMBOL_BITS);
    }
    return event;
  }

  totals(): NodeTotals {
    return {
      patterns: this.#patternCount,
      patternFrequencies: this.#patternCount,
      symbols: this.symbols.known,
      symbolOccurrences: this.#symbolOccurrences,
    };
  }

  /** Follows every change once it is there; O(events of all patterns) where it is not, and kept as far as the meter lets. */
  contexts(meter = new WorkMeter(undefined)): ContextIndex {
    this.#contexts ??= new ContextIndex(this.patterns);
    this.#contexts.complete(meter);
    return this.#contexts;
  }

  /** Zeros for one query, which gives them back; queries under way at once have each their own. */
  takeScratch(): QueryScratch {
    const scratch = this.#scratches.pop() ?? new QueryScratch();
    scratch.fit(this.symbols.size);
    return scratch;
  }

  giveBackScratch(scratch: QueryScratch): void {
    scratch.wipe();
    this.#scratches.push(scratch);
  }

  /** Bytes of the arrays, and an estimate for texts, emotives, metadata, affinities and vectors. */
  get sizeBytes(): number {
    const { patterns, symbols, postings, finalized, vectors } = this;
    const arrays = patterns.sizeBytes + symbols.sizeBytes + postings.sizeBytes;
    const others = this.#details.sizeBytes + this.#affinities.sizeBytes + vectors.sizeBytes;
    const scratches = this.#scratches.length * symbols.size * BYTES_PER_SCRATCH_SYMBOL;
    const contexts = this.#contexts?.sizeBytes ?? 0;
    const finalizedBytes = finalized?.members.byteLength ?? 0;
    return BYTES_PER_NODE + arrays + finalizedBytes + others + scratches + contexts;
  }

  /** The part of a learn that is about its pattern. */
  learnPattern(learned: LearnedPattern): void {
    const slot = this.patterns.find(learned.hash);
    if (slot < 0) {
      this.load({ ...learned, frequency: 1 });
      return;
    }
    const { metadata } = learned;
    this.#setFrequency(slot, this.patterns.frequencyOf(slot) + 1);
    this.#details.setEmotives(slot, mergeEmotives(this.emotivesOf(slot), learned));
    this.#details.setMetadata(slot, uniteMetadata(this.#details.metadataOf(slot), metadata));
  }

  /** The part of a learn that is about one of its symbols. */
  addAffinity(symbol: string, average: Emotives): void {
    this.#affinities.add(symbol, average);
  }

  /** Refuses all before it takes one: throws `VECTOR_DIMENSION_MISMATCH`. */
  indexVectors(vectors: readonly NamedVector[]): void {
    this.vectors.requireOneDimension(vectors);
    for (const vector of vectors) this.vectors.add(vector);
  }

  #learn(learned: LearnedPattern): void {
    this.indexVectors(learned.vectors);
    this.learnPattern(learned);
    if (learned.affinity === null) return;
    for (const [symbol] of learned.occurrences) this.addAffinity(symbol, learned.affinity);
  }

  #correct({ hash, frequency, emotives, metadata }: CorrectedPattern): void {
    const slot = this.#getSlot(hash);
    if (frequency !== undefined) this.#setFrequency(slot, frequency);
    if (emotives !== undefined) this.#details.setEmotives(slot, emotives);
    if (metadata !== undefined) this.#details.setMetadata(slot, metadata);
  }

  /** The slot stays, with a frequency of 0, until so many are forgotten that all are packed. */
  #forget(slot: number): void {
    this.#setFrequency(slot, 0);
    for (const [symbol] of this.#countSlot(slot)) {
      this.symbols.count(symbol, { occurrences: 0, patterns: -1 });
    }
    this.#details.setEmotives(slot, []);
    this.#details.setMetadata(slot, {});
    this.#patternCount -= 1;
    const forgotten = this.patterns.size - this.#patternCount;
    if (forgotten > Math.max(FORGOTTEN_SLOTS_KEPT, this.#patternCount)) this.#pack();
  }

  #setFrequency(slot: number, frequency: number): void {
    const learns = frequency - this.patterns.frequencyOf(slot);
    this.patterns.frequencies[slot] = frequency;
    this.#contexts?.count(slot, learns);
    this.#symbolOccurrences += this.patterns.lengthOf(slot) * learns;
    for (const [symbol, count] of this.#countSlot(slot)) {
      this.symbols.count(symbol, { occurrences: count * learns, patterns: 0 });
    }
  }

  #countSlot(slot: number): [symbol: number, count: number][] {
    return countOccurrences(this.patterns.eventsOf(slot).flat());
  }

  #finalize(): void {
    const { patterns, symbols } = this.totals();
    const members = this.symbols.copyMembers();
    this.finalized = { slots: this.patterns.size, patterns, symbols, members };
  }

  #clear(): void {
    this.#empty();
    this.finalized = undefined;
    this.#scratches.length = 0;
    this.#affinities = new AffinityTable();
    this.vectors.clear();
  }

  #empty(): void {
    this.patterns = new PatternTable();
    this.symbols = new SymbolTable();
    this.postings = new PostingLists();
    this.#details = new SlotDetails();
    this.#contexts = undefined;
    this.#patternCount = 0;
    this.#symbolOccurrences = 0;
  }

  /** Loads what is left into new arrays, in the same order; symbols get new numbers. */
  #pack(): void {
    const kept = [...this.storedPatterns()];
    const { finalized, symbols, patterns } = this;
    this.#empty();
    for (const pattern of kept) this.load(pattern);
    if (finalized === undefined) return;

    const members = Uint32Array.from({ length: this.symbols.size }, (_, id) => {
      const before = symbols.find(this.symbols.text(id));
      return before === undefined ? 0 : (finalized.members[before] ?? 0);
    });
    let slots = 0;
    for (let slot = 0; slot < finalized.slots; slot += 1) {
      if (patterns.frequencyOf(slot) > 0) slots += 1;
    }
    this.finalized = { ...finalized, slots, members };
  }

  #read(slot: number): StoredPattern {
    return {
      hash: this.patterns.hashOf(slot),
      events: this.eventsOf(slot),
      frequency: this.patterns.frequencyOf(slot),
      emotives: [...this.emotivesOf(slot)],
      metadata: this.#details.metadataOf(slot),
    };
  }

  #getSlot(hash: string): number {
    const slot = this.patterns.find(hash);
    if (slot >= 0) return slot;
    throw new ServiceError("PATTERN_NOT_FOUND", `The node has no pattern ${hash}`);
  }
}

/** What an empty node takes, about. */
const BYTES_PER_NODE = 4096;
/** Three numbers by symbol. */
const BYTES_PER_SCRATCH_SYMBOL = 12;
