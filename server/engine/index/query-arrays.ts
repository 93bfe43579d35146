/** Arrays for more are made anew: a query that needs them takes long anyway. */
const MOST_KEPT = 65_536;
const LEAST_LENGTH = 256;

/**
 * Typed arrays for one query after another: one on a small node needs some twenty, and took 7 % longer when it made them
 * anew. They are at least as long as asked for, and hold what the last query wrote.
 * They are kept for good, some 30 of at most 640 KiB a thread.
 */
export class QueryArrays {
  readonly #ints = new Kept(Int32Array);
  readonly #doubles = new Kept(Float64Array);
  readonly #bytes = new Kept(Uint8Array);

  ints(length: number): Int32Array {
    return this.#ints.take(length);
  }

  doubles(length: number): Float64Array {
    return this.#doubles.take(length);
  }

  bytes(length: number): Uint8Array {
    return this.#bytes.take(length);
  }

  giveBack(): void {
    this.#ints.giveBack();
    this.#doubles.giveBack();
    this.#bytes.giveBack();
  }
}

/** Arrays of one kind, taken in the same order by each query: each is as long as was ever needed in its place. */
class Kept<T extends { readonly length: number }> {
  readonly #make: new (length: number) => T;
  readonly #arrays: T[] = [];
  #taken = 0;

  constructor(make: new (length: number) => T) {
    this.#make = make;
  }

  take(length: number): T {
    const found = this.#arrays[this.#taken];
    if (found !== undefined && found.length >= length) {
      this.#taken += 1;
      return found;
    }
    if (length > MOST_KEPT) return new this.#make(length);
    const made = new this.#make(Math.max(LEAST_LENGTH, length + (length >>> 2)));
    this.#arrays[this.#taken] = made;
    this.#taken += 1;
    return made;
  }

  giveBack(): void {
    this.#taken = 0;
  }
}

/** Of this thread: as many as there ever were queries under way at once. */
const idle: QueryArrays[] = [];

export function takeArrays(): QueryArrays {
  return idle.pop() ?? new QueryArrays();
}

export function giveBackArrays(arrays: QueryArrays): void {
  arrays.giveBack();
  idle.push(arrays);
}
