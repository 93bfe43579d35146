import { withRoomFor } from "./growing-array.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";
import type { WorkMeter } from "./work-meter.ts";

/** Stands for no position: an integer, so that what is compared with it stays one. */
const NOWHERE = 2 ** 30;

/** So many are counted before the query's meter is told: most ranges are a few. */
const MOST_STEPS_UNSPENT = 4_096;

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
  /** First position in the pattern of any block; beyond all without one. */
  first = NOWHERE;
  /** Behind the last position in the pattern of any block; 0 without one. */
  end = 0;
  readonly #symbols: Int32Array;
  readonly #starts: Uint32Array;
  readonly #work: WorkMeter;
  readonly #termOf: Int32Array;
  /** Of the state: its terms, and where each of them stands. */
  readonly #terms: Int32Array;
  readonly #positions: Int32Array;
  readonly #positionStarts: Int32Array;
  /** The pattern's terms by position. */
  #pattern: Int32Array;
  /** Ranges still to be searched, four numbers each. */
  #ranges: Int32Array;

  constructor(node: NodeReplica, query: StateQuery) {
    this.#symbols = node.patterns.symbols;
    this.#starts = node.patterns.starts;
    this.#work = query.work;
    this.#termOf = query.termOf;
    this.#terms = query.terms;
    this.#positions = query.masks.positions;
    this.#positionStarts = query.masks.starts;
    this.#pattern = query.arrays.ints(64);
    this.#ranges = query.arrays.ints(64);
  }

  /** `common` is the length of the longest common subsequence where it is known: blocks have no more symbols. */
  match(slot: number, common = NOWHERE): void {
    const length = this.#readPattern(slot);
    this.count = 0;
    this.matched = 0;
    this.first = NOWHERE;
    this.end = 0;
    let waiting = this.#wait(0, { fromA: 0, toA: length, fromB: 0, toB: this.#terms.length });
    while (waiting > 0 && this.matched < common) waiting = this.#matchRange(waiting - 1);
  }

  /** As `match`, for a pattern whose longest common subsequence is one symbol: the first that the state has. */
  matchSingle(slot: number): void {
    const symbols = this.#symbols;
    const starts = this.#starts;
    const termOf = this.#termOf;
    const start = starts[slot] ?? 0;
    let at = start;
    while ((termOf[(symbols[at] ?? 0) & SYMBOL_BITS] ?? 1) === 0) at += 1;
    const term = termOf[(symbols[at] ?? 0) & SYMBOL_BITS] ?? 0;
    this.patternStarts[0] = at - start;
    this.stateStarts[0] = this.#positions[this.#positionStarts[term] ?? 0] ?? 0;
    this.lengths[0] = 1;
    this.count = 1;
    this.matched = 1;
    this.first = at - start;
    this.end = at - start + 1;
  }

  #readPattern(slot: number): number {
    const symbols = this.#symbols;
    const starts = this.#starts;
    const start = starts[slot] ?? 0;
    const length = (starts[slot + 1] ?? 0) - start;
    if (length > this.#pattern.length) this.#pattern = new Int32Array(length * 2);
    const pattern = this.#pattern;
    const termOf = this.#termOf;
    for (let i = 0; i < length; i += 1)
      pattern[i] = termOf[(symbols[start + i] ?? 0) & SYMBOL_BITS] ?? 0;
    return length;
  }

  /** Searches the range that waits at `place`, which those to its sides replace; gives how many wait then. */
  #matchRange(place: number): number {
    const ranges = this.#ranges;
    const fromA = ranges[place * 4] ?? 0;
    const toA = ranges[place * 4 + 1] ?? 0;
    const fromB = ranges[place * 4 + 2] ?? 0;
    const toB = ranges[place * 4 + 3] ?? 0;
    const pattern = this.#pattern;
    const terms = this.#terms;
    const positions = this.#positions;
    const starts = this.#positionStarts;
    let bestA = 0;
    let bestB = 0;
    let best = 0;
    let steps = toA - fromA;
    // Only a longer block counts, and none longer fits into what is left.
    for (let a = fromA; a < toA - best; a += 1) {
      const term = pattern[a] ?? 0;
      if (term === 0) continue;
      const endOfPositions = starts[term + 1] ?? 0;
      steps = this.#pay(steps + endOfPositions - (starts[term] ?? 0));
      for (let p = starts[term] ?? 0; p < endOfPositions; p += 1) {
        const b = positions[p] ?? 0;
        if (b < fromB) continue;
        if (b >= toB - best) break;
        const before = a > fromA && b > fromB ? (pattern[a - 1] ?? 0) : 0;
        if (before !== 0 && before === terms[b - 1]) continue;
        const length = this.#runFrom(a, b, Math.min(toA - a, toB - b));
        steps = this.#pay(steps + length);
        if (length <= best) continue;
        best = length;
        bestA = a;
        bestB = b;
      }
    }
    this.#work.spend(steps);
    if (best === 0) return place;

    this.#add(bestA, bestB, best);
    const left = { fromA, toA: bestA, fromB, toB: bestB };
    const right = { fromA: bestA + best, toA, fromB: bestB + best, toB };
    return this.#wait(this.#wait(place, left), right);
  }

  /** Tells the query's meter of many steps; gives how many it is still to be told of. */
  #pay(steps: number): number {
    if (steps <= MOST_STEPS_UNSPENT) return steps;
    this.#work.spend(steps);
    return 0;
  }

  /** Equal symbols from a position of the pattern and one of the state on, at most so many; the first is known. */
  #runFrom(a: number, b: number, most: number): number {
    const pattern = this.#pattern;
    const terms = this.#terms;
    let length = 1;
    while (
      length < most &&
      pattern[a + length] !== 0 &&
      pattern[a + length] === terms[b + length]
    ) {
      length += 1;
    }
    return length;
  }

  /** Puts a range at `place` unless a side of it is empty; gives the place behind. */
  #wait(place: number, { fromA, toA, fromB, toB }: Range): number {
    if (fromA >= toA || fromB >= toB) return place;
    this.#ranges = withRoomFor(this.#ranges, (place + 1) * 4);
    this.#ranges[place * 4] = fromA;
    this.#ranges[place * 4 + 1] = toA;
    this.#ranges[place * 4 + 2] = fromB;
    this.#ranges[place * 4 + 3] = toB;
    return place + 1;
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

/** Where blocks are looked for, in the pattern (A) and in the state (B). */
interface Range {
  fromA: number;
  toA: number;
  fromB: number;
  toB: number;
}
