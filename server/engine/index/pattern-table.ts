import { withRoomFor } from "./growing-array.ts";
import { readHash, WORDS_PER_HASH, writeHash } from "./hash-words.ts";
import { SlotLookup } from "./slot-lookup.ts";

/** Set on the last symbol of an event; the other bits are the symbol's id. */
export const EVENT_END = 0x8000_0000 | 0;
export const SYMBOL_BITS = 0x7fff_ffff;

/**
 * The patterns of a node in slots, in the order of their first learn:
 *
 *     symbols      a b* | c* | a* c* b*     (* last of its event)
 *     starts       0      2    3         6
 *     frequencies  1      0    4            (0: forgotten)
 *
 * The arrays are read by the search directly; they are replaced when they grow.
 */
export class PatternTable {
  symbols = new Int32Array(0);
  starts = new Uint32Array(1);
  frequencies = new Float64Array(0);
  hashes = new Uint32Array(0);
  /** Slots in use, forgotten ones included. */
  size = 0;
  /** Symbols of the shortest pattern there ever was; Infinity without any. */
  leastLength = Infinity;
  /** Symbols of the longest event there ever was. */
  longestEvent = 0;
  readonly #lookup = new SlotLookup();

  get sizeBytes(): number {
    const arrays = [this.symbols, this.starts, this.frequencies, this.hashes];
    return arrays.reduce((sum, { byteLength }) => sum + byteLength, this.#lookup.sizeBytes);
  }

  /** The slot of a pattern that is not forgotten; −1 without one. */
  find(hash: string): number {
    this.hashes = withRoomFor(this.hashes, (this.size + 1) * WORDS_PER_HASH);
    writeHash(this.hashes, this.size, hash);
    const slot = this.#lookup.find(this.hashes, this.size);
    return slot >= 0 && (this.frequencies[slot] ?? 0) > 0 ? slot : -1;
  }

  /** Takes the next slot. The hash must not be among the patterns that are not forgotten. */
  add(hash: string, events: readonly (readonly number[])[], frequency: number): number {
    const slot = this.size;
    const start = this.startOf(slot);
    const length = events.reduce((sum, event) => sum + event.length, 0);
    this.symbols = withRoomFor(this.symbols, start + length);
    this.starts = withRoomFor(this.starts, slot + 2);
    this.frequencies = withRoomFor(this.frequencies, slot + 1);
    this.hashes = withRoomFor(this.hashes, (slot + 1) * WORDS_PER_HASH);

    let at = start;
    for (const event of events) {
      for (const symbol of event) this.symbols[at++] = symbol;
      this.symbols[at - 1] = (this.symbols[at - 1] ?? 0) | EVENT_END;
      this.longestEvent = Math.max(this.longestEvent, event.length);
    }
    this.starts[slot + 1] = at;
    this.frequencies[slot] = frequency;
    writeHash(this.hashes, slot, hash);
    this.#lookup.add(this.hashes, slot);
    this.size += 1;
    this.leastLength = Math.min(this.leastLength, length);
    return slot;
  }

  startOf(slot: number): number {
    return this.starts[slot] ?? 0;
  }

  lengthOf(slot: number): number {
    return this.startOf(slot + 1) - this.startOf(slot);
  }

  frequencyOf(slot: number): number {
    return this.frequencies[slot] ?? 0;
  }

  hashOf(slot: number): string {
    return readHash(this.hashes, slot);
  }

  /** The ids in a slot, event by event. */
  eventsOf(slot: number): number[][] {
    const events: number[][] = [];
    let event: number[] = [];
    for (let at = this.startOf(slot); at < this.startOf(slot + 1); at += 1) {
      const symbol = this.symbols[at] ?? 0;
      event.push(symbol & SYMBOL_BITS);
      if (symbol >= 0) continue;
      events.push(event);
      event = [];
    }
    return events;
  }
}
