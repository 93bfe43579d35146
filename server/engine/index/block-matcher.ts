import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";

/**
 * The matching blocks of a pattern and the state (prediction.md §5.1), into fields of its own that the next call
 * overwrites. It looks for blocks only where one may begin and goes along the diagonal; no two blocks touch in
 * both, since one of them would have been found longer, and so none are ever merged.
 */
export class BlockMatcher {
  /** Blocks found, in no order: block b is `lengths[b]` symbols at `patternStarts[b]` and `stateStarts[b]`. */
  count = 0;
  patternStarts: number[] = [];
  stateStarts: number[] = [];
  lengths: number[] = [];
  /** Symbols in all blocks. */
  matched = 0;
  /** First position in the pattern of any block; Infinity without one. */
  first = Infinity;
  /** Behind the last position in the pattern of any block; 0 without one. */
  end = 0;
  readonly #node: NodeReplica;
  readonly #query: StateQuery;
  /** The pattern's terms by position. */
  #pattern = new Int32Array(64);
  /** Ranges still to be searched, four numbers each. */
  readonly #ranges: number[] = [];

  constructor(node: NodeReplica, query: StateQuery) {
    this.#node = node;
    this.#query = query;
  }

  match(slot: number): void {
    const length = this.#readPattern(slot);
    this.count = 0;
    this.matched = 0;
    this.first = Infinity;
    this.end = 0;
    const ranges = this.#ranges;
    ranges.push(0, length, 0, this.#query.terms.length);
    while (ranges.length > 0) {
      const toB = ranges.pop() ?? 0;
      const fromB = ranges.pop() ?? 0;
      const toA = ranges.pop() ?? 0;
      const fromA = ranges.pop() ?? 0;
      this.#matchRange(fromA, toA, [fromB, toB]);
    }
  }

  #readPattern(slot: number): number {
    const { symbols } = this.#node.patterns;
    const start = this.#node.patterns.startOf(slot);
    const length = this.#node.patterns.lengthOf(slot);
    if (length > this.#pattern.length) this.#pattern = new Int32Array(length * 2);
    const pattern = this.#pattern;
    const { termOf } = this.#query;
    for (let i = 0; i < length; i += 1) {
      pattern[i] = termOf[(symbols[start + i] ?? 0) & SYMBOL_BITS] ?? 0;
    }
    return length;
  }

  #matchRange(fromA: number, toA: number, [fromB, toB]: [number, number]): void {
    const pattern = this.#pattern;
    const { terms, positions, positionStarts } = this.#query;
    let bestA = 0;
    let bestB = 0;
    let best = 0;
    // Only a longer block counts, and none longer fits into what is left.
    for (let a = fromA; a < toA - best; a += 1) {
      const term = pattern[a] ?? 0;
      if (term === 0) continue;
      const endOfPositions = positionStarts[term + 1] ?? 0;
      for (let p = positionStarts[term] ?? 0; p < endOfPositions; p += 1) {
        const b = positions[p] ?? 0;
        if (b < fromB) continue;
        if (b >= toB - best) break;
        const before = a > fromA && b > fromB ? (pattern[a - 1] ?? 0) : 0;
        if (before !== 0 && before === terms[b - 1]) continue;
        let length = 1;
        while (
          a + length < toA &&
          b + length < toB &&
          pattern[a + length] !== 0 &&
          pattern[a + length] === terms[b + length]
        ) {
          length += 1;
        }
        if (length <= best) continue;
        best = length;
        bestA = a;
        bestB = b;
      }
    }
    if (best === 0) return;

    this.#add(bestA, bestB, best);
    if (fromA < bestA && fromB < bestB) this.#ranges.push(fromA, bestA, fromB, bestB);
    if (bestA + best < toA && bestB + best < toB) {
      this.#ranges.push(bestA + best, toA, bestB + best, toB);
    }
  }

  #add(inPattern: number, inState: number, length: number): void {
    this.patternStarts[this.count] = inPattern;
    this.stateStarts[this.count] = inState;
    this.lengths[this.count] = length;
    this.count += 1;
    this.matched += length;
    this.first = Math.min(this.first, inPattern);
    this.end = Math.max(this.end, inPattern + length);
  }
}
