import type { QueryArrays } from "./query-arrays.ts";
import type { WorkMeter } from "./work-meter.ts";

/** Says which of two numbers has to stand before the other; those of which neither has to keep their order. */
export interface Precedence {
  isBefore(a: number, b: number): boolean;
}

/** A comparison reads of both in places far apart. */
const STEPS_PER_ITEM = 8;

/** So few are sorted by insertion. */
const FEW = 8;

/**
 * Sorts stretches of an array in place, stable, in one walk where they are in order. An array's own sort calls its
 * comparison from outside of the code that is compiled, which takes longer.
 */
export class MergeSort {
  readonly #items: Int32Array;
  readonly #order: Precedence;
  /** For the left one of two stretches that are merged. */
  readonly #left: Int32Array;
  readonly #work: WorkMeter;

  /** `left` is written over, and has room for all that are sorted. */
  constructor(
    items: Int32Array,
    order: Precedence,
    { left, work }: { left: Int32Array; work: WorkMeter },
  ) {
    this.#items = items;
    this.#order = order;
    this.#left = left;
    this.#work = work;
  }

  sort(from: number, to: number): void {
    if (to - from <= FEW) {
      this.#insert(from, to);
      return;
    }
    const middle = (from + to) >>> 1;
    this.sort(from, middle);
    this.sort(middle, to);
    this.merge(from, middle, to);
  }

  /** Merges two stretches next to each other, each in order: from `from` and from `middle` on. */
  merge(from: number, middle: number, to: number): void {
    const items = this.#items;
    const order = this.#order;
    if (middle === from || middle === to) return;
    if (!order.isBefore(items[middle] ?? 0, items[middle - 1] ?? 0)) return;
    this.#work.spend((to - from) * STEPS_PER_ITEM);
    const left = this.#copyLeft(from, middle);
    const length = middle - from;
    let at = from;
    let taken = 0;
    let right = middle;
    for (; taken < length && right < to; at += 1) {
      const next = items[right] ?? 0;
      const kept = left[taken] ?? 0;
      if (order.isBefore(next, kept)) {
        items[at] = next;
        right += 1;
      } else {
        items[at] = kept;
        taken += 1;
      }
    }
    for (; taken < length; at += 1) {
      items[at] = left[taken] ?? 0;
      taken += 1;
    }
  }

  #copyLeft(from: number, middle: number): Int32Array {
    const items = this.#items;
    const left = this.#left;
    for (let i = from; i < middle; i += 1) left[i - from] = items[i] ?? 0;
    return left;
  }

  #insert(from: number, to: number): void {
    const items = this.#items;
    for (let i = from + 1; i < to; i += 1) {
      const item = items[i] ?? 0;
      let at = i;
      for (; at > from && this.#order.isBefore(item, items[at - 1] ?? 0); at -= 1) {
        items[at] = items[at - 1] ?? 0;
      }
      items[at] = item;
    }
  }
}

/** The positions of the first `count` keys by descending key, equal ones as they are. No key is NaN. */
export function descending(
  keys: Float64Array,
  count: number,
  { arrays, work }: { arrays: QueryArrays; work: WorkMeter },
): Int32Array {
  const positions = arrays.ints(count);
  for (let i = 0; i < count; i += 1) positions[i] = i;
  new MergeSort(positions, new HigherKey(keys), { left: arrays.ints(count), work }).sort(0, count);
  return positions;
}

class HigherKey implements Precedence {
  readonly #keys: Float64Array;

  constructor(keys: Float64Array) {
    this.#keys = keys;
  }

  isBefore(a: number, b: number): boolean {
    return (this.#keys[a] ?? 0) > (this.#keys[b] ?? 0);
  }
}
