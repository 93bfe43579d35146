import type { WeightedFigures } from "@kato-rpc/shared/prediction.ts";

import { affinityWeight, weightedFigures } from "../affinity.ts";
import type { Extraction } from "./extraction.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";

/** Weighs candidates by the affinities of the state's symbols; every other symbol weighs nothing (prediction.md §7). */
export class StateWeights {
  readonly #node: NodeReplica;
  readonly #query: StateQuery;
  /** By term; term 0, a symbol of the state that the node does not know, has the least. */
  readonly #weights: Float64Array;
  readonly #state: number;

  constructor(node: NodeReplica, query: StateQuery, emotive: string) {
    this.#node = node;
    this.#query = query;
    const known = query.symbolIds.map((id) =>
      affinityWeight(
        node.affinity(node.symbols.text(id))[emotive] ?? 0,
        node.symbols.frequency(id),
      ),
    );
    this.#weights = Float64Array.of(affinityWeight(0, 0), ...known);
    let state = 0;
    for (const term of query.terms) state += this.#weights[term] ?? 0;
    this.#state = state;
  }

  /** Of the slot last extracted. */
  figures(slot: number, extraction: Extraction): WeightedFigures {
    const { presentStart, presentEnd } = extraction;
    let matches = 0;
    for (const position of extraction.matchedPositions(slot)) {
      matches += this.#weights[this.#query.terms[position] ?? 0] ?? 0;
    }
    return weightedFigures({
      matches,
      state: this.#state,
      pattern: this.#sum(slot, 0, this.#node.patterns.lengthOf(slot)),
      present: this.#sum(slot, presentStart, presentEnd),
      extras: this.#sumExtras(slot, presentStart, presentEnd),
    });
  }

  #sum(slot: number, from: number, to: number): number {
    const { symbols } = this.#node.patterns;
    const start = this.#node.patterns.startOf(slot);
    let sum = 0;
    for (let at = start + from; at < start + to; at += 1) {
      const term = this.#query.termOf[(symbols[at] ?? 0) & SYMBOL_BITS] ?? 0;
      if (term > 0) sum += this.#weights[term] ?? 0;
    }
    return sum;
  }

  #sumExtras(slot: number, from: number, to: number): number {
    const { symbols } = this.#node.patterns;
    const start = this.#node.patterns.startOf(slot);
    const expected = new Set<number>();
    for (let at = start + from; at < start + to; at += 1) {
      expected.add(this.#query.termOf[(symbols[at] ?? 0) & SYMBOL_BITS] ?? 0);
    }
    expected.delete(0);
    let sum = 0;
    for (const term of this.#query.terms) if (!expected.has(term)) sum += this.#weights[term] ?? 0;
    return sum;
  }
}

/** undefined where weighting is off. */
export function stateWeightsOf(node: NodeReplica, query: StateQuery): StateWeights | undefined {
  const { affinityEmotive } = query.settings;
  return affinityEmotive ? new StateWeights(node, query, affinityEmotive) : undefined;
}
