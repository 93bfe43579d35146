import { createHash } from "node:crypto";

import { ServiceError } from "@kato-rpc/shared/errors.ts";

import { vectorText } from "./vector-text.ts";

/**
 * engine.md §4: adds vectors element by element, left to right; no vectors make the empty vector. Throws
 * `VECTOR_DIMENSION_MISMATCH` when one is longer or shorter than the first, `INVALID_INPUT` when the sum overflows.
 */
export function sumVectors(vectors: readonly (readonly number[])[]): number[] {
  const [first = [], ...others] = vectors;
  const sum = [...first];
  for (const vector of others) {
    requireDimension(vector, sum.length);
    for (const [index, element] of vector.entries()) sum[index] = (sum[index] ?? 0) + element;
  }
  requireFinite(sum);
  return sum;
}

const VECTOR_PREFIX = "VCTR|";

/** The symbol that stands for a vector in an event (engine.md §4). Vectors of the same `vectorText` share it. */
export function vectorName(vector: readonly number[]): string {
  return `${VECTOR_PREFIX}${createHash("sha1").update(vectorText(vector), "utf8").digest("hex")}`;
}

/** Whether a symbol stands for a vector, by the look of it. */
export function isVectorName(symbol: string): boolean {
  return symbol.startsWith(VECTOR_PREFIX);
}

function requireDimension(vector: readonly number[], expected: number): void {
  const actual = vector.length;
  if (actual === expected) return;

  throw new ServiceError(
    "VECTOR_DIMENSION_MISMATCH",
    `All vectors of an observation must have as many elements as the first: expected ${expected}, got ${actual}`,
    { expected, actual },
  );
}

function requireFinite(sum: readonly number[]): void {
  const index = sum.findIndex((element) => !Number.isFinite(element));
  if (index === -1) return;

  const value = String(sum[index]);
  const message = `The sum of an observation's vectors must be finite, but its element ${index} is ${value}`;
  throw new ServiceError("INVALID_INPUT", message, {
    issues: [{ path: "vectors", rule: "finite", message, value }],
  });
}
