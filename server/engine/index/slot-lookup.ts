import { compareHashes, WORDS_PER_HASH } from "./hash-words.ts";

const EMPTY = 0;

/**
 * Finds the slot of a hash among hashes kept elsewhere: open addressing with linear probing. SHA-1 spreads by itself, so
 * its first word is the place to begin. Slots are kept plus one, that 0 may mean none. Nothing is ever removed:
 * a forgotten pattern keeps its place until the node is packed, and may be found there.
 */
export class SlotLookup {
  #table = new Int32Array(16);
  #count = 0;

  get sizeBytes(): number {
    return this.#table.byteLength;
  }

  /** The hash asked for stands in `words` behind all slots, at `probe`. −1 when there is none. */
  find(words: Uint32Array, probe: number): number {
    const place = this.#placeOf(words, probe);
    return (this.#table[place] ?? EMPTY) - 1;
  }

  /** Slots come in order, each once; of equal hashes the newest is found. */
  add(words: Uint32Array, slot: number): void {
    const place = this.#placeOf(words, slot);
    if (this.#table[place] === EMPTY) this.#count += 1;
    this.#table[place] = slot + 1;
    if (this.#count * 3 > this.#table.length * 2) this.#grow(words);
  }

  #grow(words: Uint32Array): void {
    const old = this.#table;
    this.#table = new Int32Array(old.length * 2);
    for (const entry of old) {
      if (entry !== EMPTY) this.#table[this.#placeOf(words, entry - 1)] = entry;
    }
  }

  #placeOf(words: Uint32Array, slot: number): number {
    const mask = this.#table.length - 1;
    let place = (words[slot * WORDS_PER_HASH] ?? 0) & mask;
    for (;;) {
      const entry = this.#table[place] ?? EMPTY;
      if (entry === EMPTY || compareHashes(words, entry - 1, slot) === 0) return place;
      place = (place + 1) & mask;
    }
  }
}
