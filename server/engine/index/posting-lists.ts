import { withRoomFor } from "./growing-array.ts";

/**
 * Per symbol the slots of the patterns that have it, ascending. All lists lie in one array; a list that outgrows its
 * place moves to the end, and when a third of the array is abandoned places, all lists move together:
 *
 *     pool   [ list 0 … room | abandoned | list 2 … | list 1 … room | free ]
 *     start     0                           2          1
 */
export class PostingLists {
  pool = new Int32Array(0);
  #starts = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  #capacities = new Uint32Array(0);
  #listCount = 0;
  #used = 0;
  #abandoned = 0;

  startOf(symbol: number): number {
    return this.#starts[symbol] ?? 0;
  }

  lengthOf(symbol: number): number {
    return this.#lengths[symbol] ?? 0;
  }

  get sizeBytes(): number {
    const lists = this.#starts.byteLength + this.#lengths.byteLength + this.#capacities.byteLength;
    return this.pool.byteLength + lists;
  }

  /** Slots must come in ascending order. */
  add(symbol: number, slot: number): void {
    if (symbol >= this.#listCount) this.#addLists(symbol + 1);
    const length = this.lengthOf(symbol);
    if (length === (this.#capacities[symbol] ?? 0)) this.#move(symbol, capacityFor(length + 1));
    this.pool[this.startOf(symbol) + length] = slot;
    this.#lengths[symbol] = length + 1;
  }

  #addLists(count: number): void {
    this.#starts = withRoomFor(this.#starts, count);
    this.#lengths = withRoomFor(this.#lengths, count);
    this.#capacities = withRoomFor(this.#capacities, count);
    this.#listCount = count;
  }

  #move(symbol: number, capacity: number): void {
    if (this.#used + capacity > this.pool.length) this.#makeRoom(capacity);
    const start = this.startOf(symbol);
    this.pool.copyWithin(this.#used, start, start + this.lengthOf(symbol));
    this.#abandoned += this.#capacities[symbol] ?? 0;
    this.#starts[symbol] = this.#used;
    this.#capacities[symbol] = capacity;
    this.#used += capacity;
  }

  #makeRoom(capacity: number): void {
    if (this.#abandoned * 3 > this.#used) this.#compact();
    this.pool = withRoomFor(this.pool, this.#used + capacity);
  }

  #compact(): void {
    let needed = 0;
    for (let symbol = 0; symbol < this.#listCount; symbol += 1) {
      needed += capacityFor(this.lengthOf(symbol));
    }
    const pool = withRoomFor(new Int32Array(0), needed);
    let used = 0;
    for (let symbol = 0; symbol < this.#listCount; symbol += 1) {
      const [start, length] = [this.startOf(symbol), this.lengthOf(symbol)];
      pool.set(this.pool.subarray(start, start + length), used);
      this.#starts[symbol] = used;
      this.#capacities[symbol] = capacityFor(length);
      used += capacityFor(length);
    }
    this.pool = pool;
    this.#used = used;
    this.#abandoned = 0;
  }
}

/** Most symbols of a large vocabulary are in a pattern or two. */
function capacityFor(length: number): number {
  return length <= 2 ? length : length + (length >>> 2) + 1;
}
