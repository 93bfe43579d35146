import type { SymbolStatistics } from "../long-term-memory.ts";
import { withRoomFor } from "./growing-array.ts";
import { BYTES_PER_ENTRY, textBytes } from "./heap-estimate.ts";

/**
 * The symbols of a node under dense numbers, given in the order of arrival and never taken back, and how often each
 * was learned. A symbol whose last pattern was forgotten keeps its number, but is not known any more.
 */
export class SymbolTable {
  readonly #ids = new Map<string, number>();
  readonly #texts: string[] = [];
  #frequencies = new Float64Array(0);
  #members = new Uint32Array(0);
  #known = 0;
  #textBytes = 0;

  /** Numbers given: every id is below. */
  get size(): number {
    return this.#texts.length;
  }

  /** Symbols that some pattern has: N of prediction.md §8.2. */
  get known(): number {
    return this.#known;
  }

  /** undefined for a symbol that was never learned. */
  find(text: string): number | undefined {
    return this.#ids.get(text);
  }

  intern(text: string): number {
    const found = this.#ids.get(text);
    if (found !== undefined) return found;
    const id = this.#texts.length;
    this.#ids.set(text, id);
    this.#texts.push(text);
    this.#textBytes += textBytes(text);
    this.#frequencies = withRoomFor(this.#frequencies, id + 1);
    this.#members = withRoomFor(this.#members, id + 1);
    return id;
  }

  text(id: number): string {
    return this.#texts[id] ?? "";
  }

  frequency(id: number): number {
    return this.#frequencies[id] ?? 0;
  }

  /** Patterns that have the symbol. */
  members(id: number): number {
    return this.#members[id] ?? 0;
  }

  /** Counts a symbol that has so many more occurrences in all learns, and so many more patterns; both may be negative. */
  count(id: number, by: { occurrences: number; patterns: number }): void {
    const before = this.members(id);
    const members = before + by.patterns;
    this.#members[id] = members;
    this.#frequencies[id] = this.frequency(id) + by.occurrences;
    this.#known += Number(members > 0) - Number(before > 0);
  }

  /** The members of every symbol as they are now, by id. */
  copyMembers(): Uint32Array {
    return this.#members.slice(0, this.size);
  }

  *entries(): Generator<[symbol: string, statistics: SymbolStatistics]> {
    for (const [id, text] of this.#texts.entries()) {
      const patternMemberFrequency = this.members(id);
      if (patternMemberFrequency === 0) continue;
      yield [text, { frequency: this.frequency(id), patternMemberFrequency }];
    }
  }

  get sizeBytes(): number {
    const arrays = this.#frequencies.byteLength + this.#members.byteLength;
    return arrays + this.#textBytes + this.size * (BYTES_PER_ENTRY + BYTES_PER_REFERENCE);
  }
}

const BYTES_PER_REFERENCE = 8;
