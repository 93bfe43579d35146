import { withRoomFor } from "../index/growing-array.ts";
import { BYTES_PER_ENTRY, textBytes } from "../index/heap-estimate.ts";
import { PostingLists } from "../index/posting-lists.ts";

/** Numbers from 0 on for events, which are lists of symbol ids; an event of one symbol takes no more than a number. */
export class EventIds {
  /** By symbol id the event of that symbol alone, plus one. */
  #singles = new Int32Array(0);
  readonly #longer = new Map<string, number>();
  /** By symbol id the events of several symbols that have it. */
  readonly #longerWith = new PostingLists();
  /** Of entries and keys of the map. */
  #longerBytes = 0;
  size = 0;

  get sizeBytes(): number {
    return this.#singles.byteLength + this.#longerBytes + this.#longerWith.sizeBytes;
  }

  /** −1 for an event that has no number. */
  find(symbols: readonly number[]): number {
    if (symbols.length === 1) return (this.#singles[symbols[0] ?? 0] ?? 0) - 1;
    return this.#longer.get(symbols.join()) ?? -1;
  }

  intern(symbols: readonly number[]): number {
    const found = this.find(symbols);
    if (found >= 0) return found;
    const id = this.size;
    this.size += 1;
    if (symbols.length === 1) {
      const symbol = symbols[0] ?? 0;
      this.#singles = withRoomFor(this.#singles, symbol + 1);
      this.#singles[symbol] = id + 1;
    } else {
      const key = symbols.join();
      this.#longer.set(key, id);
      this.#longerBytes += BYTES_PER_ENTRY + textBytes(key);
      for (const symbol of new Set(symbols)) this.#longerWith.add(symbol, id);
    }
    return id;
  }

  /** How many events that have a number have the symbol. */
  countWith(symbol: number): number {
    return Number(this.find([symbol]) >= 0) + this.#longerWith.lengthOf(symbol);
  }

  /** Their numbers. */
  *withSymbol(symbol: number): Generator<number> {
    const alone = this.find([symbol]);
    if (alone >= 0) yield alone;
    const start = this.#longerWith.startOf(symbol);
    for (let at = start; at < start + this.#longerWith.lengthOf(symbol); at += 1) {
      yield this.#longerWith.pool[at] ?? 0;
    }
  }
}
