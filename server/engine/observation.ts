import type { NamedVector } from "./node-change.ts";
import { sortSymbols } from "./symbol-order.ts";
import { sumVectors, vectorName } from "./vector-symbol.ts";

export interface ObservedInput {
  readonly strings: readonly string[];
  readonly vectors: readonly (readonly number[])[];
}

export interface ObservationOptions {
  readonly sortSymbols: boolean;
  /**
   * Names of the node's vectors nearest to one, nearest first; none when left out. Throws
   * `VECTOR_DIMENSION_MISMATCH` for a vector of another dimension than the node's.
   */
  readonly nearestVectors?: (vector: readonly number[], count: number) => readonly string[];
}

export interface ProcessedObservation {
  /** What short-term memory takes: vector symbols, then strings. Empty when nothing was observed. */
  event: string[];
  /** The strings alone, in the order they have in the event. */
  strings: string[];
  /** The sum of the vectors, to be indexed by the session's next learn; undefined when there was none. */
  vector?: NamedVector;
}

/** How many of the node's vectors stand beside an observed one in its event (engine.md §4). */
export const NEIGHBOURS = 3;

/**
 * Makes one event of an observation (engine.md §3). Strings are put in code point order or kept as given; vector symbols always
 * come before them. Throws what `sumVectors` and `nearestVectors` throw.
 */
export function processObservation(
  input: ObservedInput,
  options: ObservationOptions,
): ProcessedObservation {
  const strings = options.sortSymbols ? sortSymbols(input.strings) : [...input.strings];
  if (input.vectors.length === 0) return { event: [...strings], strings };

  // The vectors of one observation count as their sum; one empty vector has a name as well.
  const vector = sumVectors(input.vectors);
  const name = vectorName(vector);
  const neighbours = options.nearestVectors?.(vector, NEIGHBOURS) ?? [];
  const vectorSymbols = sortSymbols([...new Set([name, ...neighbours])]);
  return { event: [...vectorSymbols, ...strings], strings, vector: { name, vector } };
}
