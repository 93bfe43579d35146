import { withRoomFor } from "../index/growing-array.ts";
import type { PatternTable } from "../index/pattern-table.ts";
import { PostingLists } from "../index/posting-lists.ts";
import type { WorkMeter } from "../index/work-meter.ts";
import { EventIds } from "./event-ids.ts";
import { FrequentEvents } from "./frequent-events.ts";
import { BEGINNING, END_OUTCOME, UNKNOWN } from "./outcome.ts";
import { PairIds } from "./pair-ids.ts";
import { tableCount } from "./table-count.ts";

/** What taking a slot costs for each of its symbols, as a `WorkMeter` counts it. */
const STEPS_PER_SYMBOL = 128;
/** What a pair has for the beginning, where it has an event's number plus one for others. */
const PAIR_BEGINNING = 0;

/**
 * Where each event is in the patterns of a node, and how often each outcome is there at all. Made from the pattern table
 * when it is first asked for, slot by slot, and of the slots that it has told of every change, in O(events of the pattern):
 *
 *     slot      0       1   2
 *     starts    0       3   5
 *     events    a b c | a c | b …       numbers of events
 *     slots     0 0 0   1 1   2         places of an event: those of its posting list
 *
 * About 16 bytes for an event of a pattern, and 22 to 32 for each pair of events that follow one another somewhere.
 */
export class ContextIndex {
  readonly ids = new EventIds();
  readonly places = new PostingLists();
  events = new Int32Array(0);
  slots = new Int32Array(0);
  starts = new Uint32Array(1);
  /** Sum of the prior's tables over all outcomes. */
  total = 0;
  /** Outcomes with one table. */
  once = 0;
  /** Distinct events that patterns have. */
  known = 0;
  /** Outcomes that were learned, each as often as it was. */
  seen = 0;
  readonly #patterns: PatternTable;
  readonly frequent: FrequentEvents = new FrequentEvents(this);
  /** Of an outcome and what came before it. */
  readonly #pairs = new PairIds();
  #pairCounts = new Float64Array(0);
  /** By outcome: Σ `tableCount` over what came before it. */
  #tables = new Float64Array(0);
  /** By event: the place among the pattern table's symbols where it was first. */
  #firstPlaces = new Uint32Array(0);
  #size = 0;
  /** Slots from 0 on that it has. */
  #slots = 0;

  constructor(patterns: PatternTable) {
    this.#patterns = patterns;
  }

  /** Takes the slots that it has not. What the meter throws ends it between two of them: the next call goes on from there. */
  complete(meter: WorkMeter): void {
    while (this.#slots < this.#patterns.size) {
      meter.visit(this.#patterns.lengthOf(this.#slots) * STEPS_PER_SYMBOL);
      this.add(this.#slots);
    }
  }

  get sizeBytes(): number {
    const { ids, places, events, slots, starts } = this;
    const arrays = [events, slots, starts, this.#pairCounts, this.#tables, this.#firstPlaces];
    const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return (
      bytes + ids.sizeBytes + places.sizeBytes + this.#pairs.sizeBytes + this.frequent.sizeBytes
    );
  }

  /** Takes the slot if it is the next: while there are others before it, it waits for `complete`. */
  add(slot: number): void {
    if (slot !== this.#slots) return;
    this.#slots += 1;
    let place = this.#patterns.startOf(slot);
    for (const symbols of this.#patterns.eventsOf(slot)) {
      this.#append(slot, this.#number(symbols, place));
      place += symbols.length;
    }
    this.starts = withRoomFor(this.starts, slot + 2);
    this.starts[slot + 1] = this.#size;
    this.count(slot, this.#patterns.frequencyOf(slot));
  }

  /** The slot's pattern was learned so many times more; less where negative. */
  count(slot: number, learns: number): void {
    if (learns === 0 || slot >= this.#slots) return;
    let before = PAIR_BEGINNING;
    for (let at = this.startOf(slot); at < this.startOf(slot + 1); at += 1) {
      const outcome = (this.events[at] ?? 0) + 1;
      this.#countPair(before, outcome, learns);
      before = outcome;
    }
    this.#countPair(before, END_OUTCOME, learns);
  }

  startOf(slot: number): number {
    return this.starts[slot] ?? 0;
  }

  /** Of an outcome that no pattern has any more, 0. */
  tablesOf(outcome: number): number {
    return this.#tables[outcome] ?? 0;
  }

  /** The number of an event that some pattern has; −1 for any other. */
  find(symbols: readonly number[]): number {
    const id = this.ids.find(symbols);
    return this.tablesOf(id + 1) > 0 && id >= 0 ? id : -1;
  }

  /** How often the event came right after another, or at the beginning. */
  timesAfter(before: number, event: number): number {
    if (before === UNKNOWN) return 0;
    const pair = this.#pairs.find(before === BEGINNING ? PAIR_BEGINNING : before + 1, event + 1);
    return this.#pairCounts[pair] ?? 0;
  }

  /** Where among the symbols of all patterns an event begins that has this number. */
  firstPlaceOf(event: number): number {
    return this.#firstPlaces[event] ?? 0;
  }

  #number(symbols: readonly number[], place: number): number {
    const known = this.ids.size;
    const id = this.ids.intern(symbols);
    if (id === known) {
      this.#firstPlaces = withRoomFor(this.#firstPlaces, id + 1);
      this.#firstPlaces[id] = place;
    }
    return id;
  }

  #append(slot: number, event: number): void {
    const at = this.#size;
    this.events = withRoomFor(this.events, at + 1);
    this.slots = withRoomFor(this.slots, at + 1);
    this.events[at] = event;
    this.slots[at] = slot;
    this.places.add(event, at);
    this.#size += 1;
  }

  #countPair(before: number, outcome: number, learns: number): void {
    const pair = this.#pairs.intern(before, outcome);
    this.#pairCounts = withRoomFor(this.#pairCounts, pair + 1);
    const count = this.#pairCounts[pair] ?? 0;
    this.#pairCounts[pair] = count + learns;
    this.seen += learns;
    const change = tableCount(count + learns) - tableCount(count);
    if (change === 0) return;
    this.#tables = withRoomFor(this.#tables, outcome + 1);
    const tables = this.tablesOf(outcome);
    this.#tables[outcome] = tables + change;
    this.total += change;
    this.once += Number(tables + change === 1) - Number(tables === 1);
    if (outcome === END_OUTCOME) return;
    this.known += Number(tables + change > 0) - Number(tables > 0);
    this.frequent.note(outcome);
  }
}
