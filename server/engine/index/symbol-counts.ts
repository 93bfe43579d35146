import { withRoomFor } from "./growing-array.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { QueryArrays } from "./query-arrays.ts";
import type { SparseNumbers } from "./query-scratch.ts";

/** Symbols that a stretch usually has at most: the lists grow where there are more. */
const MOST_USUAL = 256;

/**
 * The distinct symbols of one stretch of a pattern after another, in order of first occurrence, with their counts: the
 * first `distinct` items of the lists.
 */
export class SymbolCounts {
  ids: Int32Array;
  counts: Int32Array;
  distinct = 0;
  /** Symbols counted, repeats included. */
  total = 0;
  readonly #node: NodeReplica;
  /** By symbol id, its place in the lists plus one; wiped before every stretch. */
  readonly #places: SparseNumbers;

  constructor(node: NodeReplica, places: SparseNumbers, arrays: QueryArrays) {
    this.ids = arrays.ints(MOST_USUAL);
    this.counts = arrays.ints(MOST_USUAL);
    this.#node = node;
    this.#places = places;
  }

  count(slot: number, from: number, to: number): void {
    const { symbols, starts } = this.#node.patterns;
    const places = this.#places;
    places.wipe();
    this.ids = withRoomFor(this.ids, to - from);
    this.counts = withRoomFor(this.counts, to - from);
    this.total = to - from;
    let distinct = 0;
    const start = starts[slot] ?? 0;
    for (let at = start + from; at < start + to; at += 1) {
      const id = (symbols[at] ?? 0) & SYMBOL_BITS;
      const place = places.values[id] ?? 0;
      if (place > 0) {
        this.counts[place - 1] = (this.counts[place - 1] ?? 0) + 1;
        continue;
      }
      this.ids[distinct] = id;
      this.counts[distinct] = 1;
      distinct += 1;
      places.set(id, distinct);
    }
    this.distinct = distinct;
  }

  countOf(id: number): number {
    const place = this.#places.values[id] ?? 0;
    return place === 0 ? 0 : (this.counts[place - 1] ?? 0);
  }
}
