import { withRoomFor } from "../index/growing-array.ts";

const LEAST_CAPACITY = 64;

/**
 * Numbers from 0 on for pairs of whole numbers below 2³²: open addressing with linear probing, at most two thirds of the
 * places taken. 14 to 22 bytes a pair.
 */
export class PairIds {
  size = 0;
  /** A pair's number plus one; 0 where no pair has the place. */
  #places = new Int32Array(LEAST_CAPACITY);
  #firsts = new Uint32Array(LEAST_CAPACITY);
  #seconds = new Uint32Array(LEAST_CAPACITY);

  get sizeBytes(): number {
    return this.#places.byteLength + this.#firsts.byteLength + this.#seconds.byteLength;
  }

  /** −1 for a pair that has no number. */
  find(first: number, second: number): number {
    return (this.#places[this.#placeOf(first, second)] ?? 0) - 1;
  }

  /** The pair's number; `size` before the call where it had none. */
  intern(first: number, second: number): number {
    const place = this.#placeOf(first, second);
    const found = (this.#places[place] ?? 0) - 1;
    if (found >= 0) return found;
    const id = this.size;
    this.size += 1;
    this.#places[place] = this.size;
    this.#firsts = withRoomFor(this.#firsts, this.size);
    this.#seconds = withRoomFor(this.#seconds, this.size);
    this.#firsts[id] = first;
    this.#seconds[id] = second;
    if (this.size * 3 > this.#places.length * 2) this.#grow();
    return id;
  }

  #grow(): void {
    this.#places = new Int32Array(this.#places.length * 2);
    for (let id = 0; id < this.size; id += 1) {
      this.#places[this.#placeOf(this.#firsts[id] ?? 0, this.#seconds[id] ?? 0)] = id + 1;
    }
  }

  #placeOf(first: number, second: number): number {
    const mask = this.#places.length - 1;
    // Multipliers of MurmurHash3 (Appleby), 32 bits.
    let hash = Math.imul(first, 0xcc9e2d51) ^ Math.imul(second, 0x1b873593);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    let place = (hash ^ (hash >>> 13)) & mask;
    for (;;) {
      const id = (this.#places[place] ?? 0) - 1;
      if (id < 0 || (this.#firsts[id] === first && this.#seconds[id] === second)) return place;
      place = (place + 1) & mask;
    }
  }
}
