import { ServiceError } from "@kato-rpc/shared/errors.ts";

import type { NamedVector } from "./node-change.ts";
import { BYTES_PER_ENTRY, textBytes } from "./index/heap-estimate.ts";
import { compareCodePoints } from "./symbol-order.ts";

/** `distance` is the square of the Euclidean one, which orders alike. */
export interface Neighbour {
  name: string;
  distance: number;
}

/** Vectors looked at between two calls of an interrupt. */
const INTERRUPT_INTERVAL = 256;

/**
 * A node's vectors by name (engine.md §4): exact nearest neighbours, Euclidean over 32-bit floats, O(vectors ·
 * dimension). The first vector fixes the dimension until the index is cleared; the empty vector is never held.
 */
export class VectorIndex {
  readonly #vectors = new Map<string, Float32Array>();
  #textBytes = 0;

  get size(): number {
    return this.#vectors.size;
  }

  /** Numbers in each vector; undefined while there is none. */
  get dimension(): number | undefined {
    for (const vector of this.#vectors.values()) return vector.length;
    return undefined;
  }

  /** An equal name overwrites. Throws `VECTOR_DIMENSION_MISMATCH` when the dimension differs. */
  add({ name, vector }: NamedVector): void {
    if (vector.length === 0) return;
    this.requireDimension(vector);
    if (!this.#vectors.has(name)) this.#textBytes += textBytes(name);
    this.#vectors.set(name, Float32Array.from(vector));
  }

  /** Throws `VECTOR_DIMENSION_MISMATCH` when `vector` has another dimension than the vectors held. */
  requireDimension(vector: readonly number[]): void {
    requireDimension(vector, this.dimension);
  }

  /** As `requireDimension`, also of these vectors among each other: whether all of them can be added. */
  requireOneDimension(vectors: readonly NamedVector[]): void {
    let expected = this.dimension;
    for (const { vector } of vectors) {
      requireDimension(vector, expected);
      if (vector.length > 0) expected ??= vector.length;
    }
  }

  /** Names of the `count` vectors nearest to `vector`, in the order of `neighbours`. */
  nearest(vector: readonly number[], count: number): string[] {
    return this.neighbours(vector, count).map(({ name }) => name);
  }

  /**
   * The `count` vectors nearest to `vector`, nearest first, ties by name; fewer when there are fewer, none for the
   * empty vector. There is no limit of distance. Throws `VECTOR_DIMENSION_MISMATCH`, and what `interrupt` throws, which
   * is called every so often.
   */
  neighbours(vector: readonly number[], count: number, interrupt?: () => void): Neighbour[] {
    this.requireDimension(vector);
    if (vector.length === 0) return [];

    const query = Float32Array.from(vector);
    const all: Neighbour[] = [];
    for (const [name, stored] of this.#vectors) {
      if (all.length % INTERRUPT_INTERVAL === 0) interrupt?.();
      all.push({ name, distance: gap(query, stored) });
    }
    return VectorIndex.nearestOf(all, count);
  }

  /** The `count` nearest of these, whose names are distinct: nearest first, ties by name. */
  static nearestOf(neighbours: readonly Neighbour[], count: number): Neighbour[] {
    return neighbours
      .toSorted(
        (a, b) => compareDistance(a.distance, b.distance) || compareCodePoints(a.name, b.name),
      )
      .slice(0, count);
  }

  *entries(): Generator<NamedVector> {
    for (const [name, vector] of this.#vectors) yield { name, vector: Array.from(vector) };
  }

  clear(): void {
    this.#vectors.clear();
    this.#textBytes = 0;
  }

  /** An estimate. */
  get sizeBytes(): number {
    const each = BYTES_PER_ENTRY + BYTES_PER_ARRAY + 4 * (this.dimension ?? 0);
    return this.#textBytes + this.#vectors.size * each;
  }
}

/** A typed array without its numbers. */
const BYTES_PER_ARRAY = 200;

function requireDimension(vector: readonly number[], expected: number | undefined): void {
  const actual = vector.length;
  if (expected === undefined || actual === 0 || actual === expected) return;

  const message = `The vectors of this node have ${expected} numbers, but this one has ${actual}`;
  throw new ServiceError("VECTOR_DIMENSION_MISMATCH", message, { expected, actual });
}

/** Square of the distance, which orders alike. Numbers beyond 32 bits are infinite, and far from everything. */
function gap(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    sum += difference * difference;
  }
  return Number.isNaN(sum) ? Infinity : sum;
}

function compareDistance(a: number, b: number): number {
  return a < b ? -1 : Number(a > b);
}
