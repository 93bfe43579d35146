/** Positive when `a` comes after `b` in the order that is to be kept. Total: never 0 for two different ones. */
export type Order = (a: number, b: number) => number;

/**
 * The first `limit` of many numbers in an order, found as they come: a binary heap with the last of those kept on
 * top. O(log limit) for one that is kept, O(1) for one that is not.
 */
export class BestCandidates {
  readonly #heap: number[] = [];
  readonly #limit: number;
  readonly #order: Order;

  constructor(limit: number, order: Order) {
    this.#limit = limit;
    this.#order = order;
  }

  /** The last of those kept, once there are as many as may be: what comes after it is not kept. −1 until then. */
  get last(): number {
    return this.#heap.length < this.#limit ? -1 : (this.#heap[0] ?? -1);
  }

  add(candidate: number): void {
    const heap = this.#heap;
    if (heap.length < this.#limit) {
      heap.push(candidate);
      this.#rise(heap.length - 1);
    } else if (this.#order(heap[0] ?? 0, candidate) > 0) {
      heap[0] = candidate;
      this.#sink();
    }
  }

  /** Those kept, in order. */
  sorted(): number[] {
    return this.#heap.toSorted(this.#order);
  }

  #rise(start: number): void {
    const heap = this.#heap;
    const rising = heap[start] ?? 0;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#order(heap[parent] ?? 0, rising) > 0) break;
      heap[at] = heap[parent] ?? 0;
      at = parent;
    }
    heap[at] = rising;
  }

  #sink(): void {
    const heap = this.#heap;
    const sinking = heap[0] ?? 0;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const other = child + 1;
      if (other < heap.length && this.#order(heap[other] ?? 0, heap[child] ?? 0) > 0) child = other;
      if (this.#order(sinking, heap[child] ?? 0) > 0) break;
      heap[at] = heap[child] ?? 0;
      at = child;
    }
    heap[at] = sinking;
  }
}
