import { weightedLog } from "../distributions.ts";
import { patternsWithSymbol, symbolWeight } from "../ensemble-metrics.ts";
import type { NodeReplica } from "./node-replica.ts";
import type { QueryArrays } from "./query-arrays.ts";
import type { SparseNumbers } from "./query-scratch.ts";

/** Counts up to this are common enough to keep the terms of their entropies. */
const KEPT_COUNTS = 32;

/**
 * The terms of which an ensemble's figures are sums, each computed once per query: the same symbols, and the same
 * counts out of the same totals, come again and again.
 */
export class EnsembleTerms {
  /** By symbol id, its place in the lists plus one; 0 where P is not defined. */
  readonly #places: SparseNumbers;
  readonly #probabilities: number[] = [];
  readonly #globalTerms: number[] = [];
  readonly #symbolWeights: number[] = [];
  readonly #bitTerms: Float64Array;
  readonly #normalTerms: Float64Array;
  readonly #node: NodeReplica;
  readonly #patterns: number;
  readonly #lnSymbols: number;

  constructor(node: NodeReplica, places: SparseNumbers, arrays: QueryArrays) {
    const kept = KEPT_COUNTS * KEPT_COUNTS;
    this.#bitTerms = arrays.doubles(kept).fill(Number.NaN, 0, kept);
    this.#normalTerms = arrays.doubles(kept).fill(Number.NaN, 0, kept);
    this.#node = node;
    this.#patterns = node.totals().patterns;
    this.#lnSymbols = Math.log(node.symbols.known);
    this.#places = places;
  }

  /** A symbol that some member matched or misses. */
  define(id: number): void {
    if ((this.#places.values[id] ?? 0) > 0) return;
    const p = this.#node.symbols.members(id) / this.#patterns;
    const k = patternsWithSymbol(p, this.#patterns);
    this.#probabilities.push(p);
    this.#globalTerms.push(p > 0 ? weightedLog(p, this.#lnSymbols) : 0);
    this.#symbolWeights.push(symbolWeight(k, this.#patterns));
    this.#places.set(id, this.#probabilities.length);
  }

  /** P of prediction.md §8.2; 0 where it is not defined. */
  probability(id: number): number {
    const place = this.#places.values[id] ?? 0;
    return place === 0 ? 0 : (this.#probabilities[place - 1] ?? 0);
  }

  /** `P·log_N P` of a symbol that is defined. */
  globalTerm(id: number): number {
    return this.#globalTerms[(this.#places.values[id] ?? 0) - 1] ?? 0;
  }

  /** `log2(U/k) + 1`, with k = 1 where P is not defined. */
  symbolWeight(id: number): number {
    const place = this.#places.values[id] ?? 0;
    if (place === 0) return symbolWeight(1, this.#patterns);
    return this.#symbolWeights[place - 1] ?? 0;
  }

  /** `p·log2 p` with p = count / total */
  bitTerm(count: number, total: number): number {
    return termOf(count, total, { kept: this.#bitTerms, lnBase: Math.LN2 });
  }

  /** `p·log_N p` with p = count / total */
  normalTerm(count: number, total: number): number {
    return termOf(count, total, { kept: this.#normalTerms, lnBase: this.#lnSymbols });
  }
}

function termOf(
  count: number,
  total: number,
  { kept, lnBase }: { kept: Float64Array; lnBase: number },
): number {
  if (total >= KEPT_COUNTS) return weightedLog(count / total, lnBase);
  const place = total * KEPT_COUNTS + count;
  const found = kept[place] ?? 0;
  if (!Number.isNaN(found)) return found;
  const term = weightedLog(count / total, lnBase);
  kept[place] = term;
  return term;
}
