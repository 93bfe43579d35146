const LEAST_CAPACITY = 64;

/**
 * Numbers by pairs of whole numbers below 2³²: open addressing with linear probing, 16 bytes a place and at most
 * two thirds of them taken. A pair whose number is 0 keeps its place.
 */
export class PairCounts {
  #keys = new Uint32Array(2 * LEAST_CAPACITY);
  /** −1 where no pair has its place. */
  #counts = new Float64Array(LEAST_CAPACITY).fill(-1);
  #taken = 0;

  get sizeBytes(): number {
    return this.#keys.byteLength + this.#counts.byteLength;
  }

  /** The number before the change. */
  add(first: number, second: number, change: number): number {
    let place = this.#placeOf(first, second);
    let before = this.#counts[place] ?? -1;
    if (before < 0) {
      if ((this.#taken + 1) * 3 > this.#counts.length * 2) {
        this.#grow();
        place = this.#placeOf(first, second);
      }
      this.#taken += 1;
      this.#keys[2 * place] = first;
      this.#keys[2 * place + 1] = second;
      before = 0;
    }
    this.#counts[place] = before + change;
    return before;
  }

  #grow(): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#keys = new Uint32Array(keys.length * 2);
    this.#counts = new Float64Array(counts.length * 2).fill(-1);
    for (let old = 0; old < counts.length; old += 1) {
      const count = counts[old] ?? -1;
      if (count < 0) continue;
      const first = keys[2 * old] ?? 0;
      const second = keys[2 * old + 1] ?? 0;
      const place = this.#placeOf(first, second);
      this.#keys[2 * place] = first;
      this.#keys[2 * place + 1] = second;
      this.#counts[place] = count;
    }
  }

  #placeOf(first: number, second: number): number {
    const mask = this.#counts.length - 1;
    // Multipliers of MurmurHash3 (Appleby), 32 bits.
    let hash = Math.imul(first, 0xcc9e2d51) ^ Math.imul(second, 0x1b873593);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    let place = (hash ^ (hash >>> 13)) & mask;
    while ((this.#counts[place] ?? -1) >= 0) {
      if (this.#keys[2 * place] === first && this.#keys[2 * place + 1] === second) break;
      place = (place + 1) & mask;
    }
    return place;
  }
}
