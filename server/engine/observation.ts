import { sortSymbols } from "./symbol-order.ts";
import { sumVectors, vectorName } from "./vector-symbol.ts";

export interface ObservedInput {
  readonly strings: readonly string[];
  readonly vectors: readonly (readonly number[])[];
}

export interface ProcessedObservation {
  /** What short-term memory takes: vector symbols, then strings. Empty when nothing was observed. */
  event: string[];
  /** The strings alone, in the order they have in the event. */
  strings: string[];
}

/**
 * Makes one event of an observation. Strings are put in code point order or kept as given; vector symbols always
 * come before them. Throws what `sumVectors` throws.
 */
export function processObservation(
  input: ObservedInput,
  options: { readonly sortSymbols: boolean },
): ProcessedObservation {
  const strings = options.sortSymbols ? sortSymbols(input.strings) : [...input.strings];
  return { event: [...vectorSymbols(input.vectors), ...strings], strings };
}

/** The vectors of one observation count as their sum: no vector, no symbol, but one empty vector has a name. */
function vectorSymbols(vectors: ObservedInput["vectors"]): string[] {
  return vectors.length === 0 ? [] : [vectorName(sumVectors(vectors))];
}
