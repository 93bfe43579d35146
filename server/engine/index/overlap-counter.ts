import type { Overlap } from "../filters.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";

/** Each is put into a set. */
const STEPS_PER_SYMBOL = 16;

/** Counts distinct symbols of patterns, for the filters. */
export class OverlapCounter {
  readonly #node: NodeReplica;
  readonly #query: StateQuery;
  readonly #seen = new Set<number>();

  constructor(node: NodeReplica, query: StateQuery) {
    this.#node = node;
    this.#query = query;
  }

  count(slot: number): Overlap {
    const { patterns } = this.#node;
    const seen = this.#seen;
    seen.clear();
    this.#query.work.spend(STEPS_PER_SYMBOL * patterns.lengthOf(slot));
    let shared = 0;
    for (let at = patterns.startOf(slot); at < patterns.startOf(slot + 1); at += 1) {
      const id = (patterns.symbols[at] ?? 0) & SYMBOL_BITS;
      if (seen.has(id)) continue;
      seen.add(id);
      if ((this.#query.termOf[id] ?? 0) > 0) shared += 1;
    }
    return { patternLength: patterns.lengthOf(slot), patternDistinct: seen.size, shared };
  }

  sharesAny(slot: number): boolean {
    const { patterns } = this.#node;
    for (let at = patterns.startOf(slot); at < patterns.startOf(slot + 1); at += 1) {
      const id = (patterns.symbols[at] ?? 0) & SYMBOL_BITS;
      if ((this.#query.termOf[id] ?? 0) > 0) return true;
    }
    return false;
  }
}
