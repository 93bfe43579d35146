import { withRoomFor } from "./growing-array.ts";

/** Numbers by symbol id, almost all of them 0: an array to read, and a list of what is to be wiped. */
export class SparseNumbers {
  values = new Int32Array(0);
  readonly #touched: number[] = [];

  fit(size: number): void {
    this.values = withRoomFor(this.values, size);
  }

  set(id: number, value: number): void {
    if ((this.values[id] ?? 0) === 0) this.#touched.push(id);
    this.values[id] = value;
  }

  /** O(numbers set). */
  wipe(): void {
    for (const id of this.#touched) this.values[id] = 0;
    this.#touched.length = 0;
  }
}

/** What one query writes by symbol id. Kept for the next: a vocabulary may be larger than all that a query touches. */
export class QueryScratch {
  readonly terms = new SparseNumbers();
  readonly places = new SparseNumbers();
  readonly defined = new SparseNumbers();

  fit(size: number): void {
    this.terms.fit(size);
    this.places.fit(size);
    this.defined.fit(size);
  }

  wipe(): void {
    this.terms.wipe();
    this.places.wipe();
    this.defined.wipe();
  }
}
