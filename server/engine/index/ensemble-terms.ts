import { weightedLog } from "../distributions.ts";
import { patternsWithSymbol, symbolWeight } from "../ensemble-metrics.ts";
import type { NodeReplica } from "./node-replica.ts";

/** Counts up to this are common enough to keep the terms of their entropies. */
const KEPT_COUNTS = 64;

/**
 * The terms of which an ensemble's figures are sums, each computed once per query: the same symbols, and the same
 * counts out of the same totals, come again and again.
 */
export class EnsembleTerms {
  /** By symbol id: P of prediction.md §8.2, NaN where it is not defined. */
  readonly #probabilities: Float64Array;
  readonly #globalTerms: Float64Array;
  readonly #symbolWeights: Float64Array;
  readonly #bitTerms = new Float64Array(KEPT_COUNTS * KEPT_COUNTS).fill(Number.NaN);
  readonly #normalTerms = new Float64Array(KEPT_COUNTS * KEPT_COUNTS).fill(Number.NaN);
  readonly #node: NodeReplica;
  readonly #patterns: number;
  readonly #lnSymbols: number;

  constructor(node: NodeReplica) {
    this.#node = node;
    this.#patterns = node.totals().patterns;
    this.#lnSymbols = Math.log(node.symbols.known);
    const { size } = node.symbols;
    this.#probabilities = new Float64Array(size).fill(Number.NaN);
    this.#globalTerms = new Float64Array(size);
    this.#symbolWeights = new Float64Array(size);
  }

  /** A symbol that some member matched or misses. */
  define(id: number): void {
    if (!Number.isNaN(this.#probabilities[id] ?? 0)) return;
    const p = this.#node.symbols.members(id) / this.#patterns;
    this.#probabilities[id] = p;
    this.#globalTerms[id] = p > 0 ? weightedLog(p, this.#lnSymbols) : 0;
    this.#symbolWeights[id] = symbolWeight(patternsWithSymbol(p, this.#patterns), this.#patterns);
  }

  /** P; 0 where it is not defined. */
  probability(id: number): number {
    return this.#probabilities[id] || 0;
  }

  /** `P·log_N P` */
  globalTerm(id: number): number {
    return this.#globalTerms[id] ?? 0;
  }

  /** `log2(U/k) + 1`, with k = 1 where P is not defined. */
  symbolWeight(id: number): number {
    return this.#symbolWeights[id] || symbolWeight(1, this.#patterns);
  }

  /** `p·log2 p` with p = count / total */
  bitTerm(count: number, total: number): number {
    return this.#term(this.#bitTerms, [count, total], Math.LN2);
  }

  /** `p·log_N p` with p = count / total */
  normalTerm(count: number, total: number): number {
    return this.#term(this.#normalTerms, [count, total], this.#lnSymbols);
  }

  #term(kept: Float64Array, [count, total]: [number, number], lnBase: number): number {
    if (total >= KEPT_COUNTS) return weightedLog(count / total, lnBase);
    const place = total * KEPT_COUNTS + count;
    const found = kept[place] ?? 0;
    if (!Number.isNaN(found)) return found;
    const term = weightedLog(count / total, lnBase);
    kept[place] = term;
    return term;
  }
}
