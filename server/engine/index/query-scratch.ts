import { withRoomFor } from "./growing-array.ts";

/** Numbers by symbol id, almost all of them 0: an array to read, and a list of what is to be wiped. */
export class SparseNumbers {
  values = new Int32Array(0);
  /** Kept when wiped: an array made shorter would be made anew for every stretch of a pattern. */
  #touched = new Int32Array(0);
  #touchedCount = 0;

  fit(size: number): void {
    this.values = withRoomFor(this.values, size);
  }

  set(id: number, value: number): void {
    if ((this.values[id] ?? 0) === 0) this.#touch(id);
    this.values[id] = value;
  }

  #touch(id: number): void {
    const count = this.#touchedCount;
    if (count === this.#touched.length) this.#touched = withRoomFor(this.#touched, count + 1);
    this.#touched[count] = id;
    this.#touchedCount = count + 1;
  }

  /** O(numbers set). */
  wipe(): void {
    for (let i = 0; i < this.#touchedCount; i += 1) this.values[this.#touched[i] ?? 0] = 0;
    this.#touchedCount = 0;
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
