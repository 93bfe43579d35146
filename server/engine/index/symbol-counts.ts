import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";

/** The distinct symbols of one stretch of a pattern after another, in order of first occurrence, with their counts. */
export class SymbolCounts {
  ids: number[] = [];
  counts: number[] = [];
  /** Symbols counted, repeats included. */
  total = 0;
  readonly #node: NodeReplica;
  /** By symbol id, its place in the lists plus one; wiped before every stretch. */
  readonly #places: Int32Array;

  constructor(node: NodeReplica) {
    this.#node = node;
    this.#places = new Int32Array(node.symbols.size);
  }

  count(slot: number, from: number, to: number): void {
    const { patterns } = this.#node;
    const places = this.#places;
    for (const id of this.ids) places[id] = 0;
    this.ids.length = 0;
    this.counts.length = 0;
    this.total = to - from;
    const start = patterns.startOf(slot);
    for (let at = start + from; at < start + to; at += 1) {
      const id = (patterns.symbols[at] ?? 0) & SYMBOL_BITS;
      const place = places[id] ?? 0;
      if (place > 0) {
        this.counts[place - 1] = (this.counts[place - 1] ?? 0) + 1;
        continue;
      }
      this.ids.push(id);
      this.counts.push(1);
      places[id] = this.ids.length;
    }
  }

  countOf(id: number): number {
    const place = this.#places[id] ?? 0;
    return place === 0 ? 0 : (this.counts[place - 1] ?? 0);
  }
}
