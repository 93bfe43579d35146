import type { Event } from "@kato-rpc/shared/observation.ts";
import type { PredictionSettings } from "@kato-rpc/shared/prediction.ts";

import type { NodeReplica } from "./node-replica.ts";
import type { QueryScratch } from "./query-scratch.ts";

export const BITS_PER_WORD = 32;

/** What a prediction follows. `interrupt` is called every so often, and ends the prediction by throwing. */
export type QuerySettings = PredictionSettings & { interrupt?: (() => void) | undefined };

/** Patterns looked at between two calls of an interrupt. */
const INTERRUPT_INTERVAL = 256;

/**
 * Short-term memory as the search wants it. The state's symbols that the node knows are its terms, numbered from 1 in the
 * order of their first occurrence; 0 stands for every other symbol.
 *
 *     state          b  x  a  b           (the node does not know x)
 *     terms          1  0  2  1
 *     positions of 1: 0, 3    of 2: 2
 *     masks of 1:   0b1001    of 2: 0b0100
 */
export class StateQuery {
  readonly stm: readonly Event[];
  readonly state: readonly string[];
  readonly settings: QuerySettings;
  /** Distinct symbols of the state, known or not. */
  readonly distinctCount: number;
  /** Per position of the state its term. */
  readonly terms: Int32Array;
  /** By term less one, its symbol id. */
  readonly symbolIds: number[] = [];
  /** By symbol id, its term. */
  readonly termOf: Int32Array;
  readonly scratch: QueryScratch;
  /** Positions of term t are `positions[positionStarts[t] … positionStarts[t + 1])`, ascending. */
  readonly positions: Int32Array;
  readonly positionStarts: Int32Array;
  /** Words of 32 positions that the state takes. */
  readonly wordCount: number;
  /** Bit j of the words of term t, from `t · wordCount` on, says that position j has the term. */
  readonly masks: Int32Array;

  constructor(node: NodeReplica, stm: readonly Event[], settings: QuerySettings) {
    this.stm = stm;
    this.state = stm.flat();
    this.settings = settings;
    this.distinctCount = new Set(this.state).size;
    this.scratch = node.takeScratch();
    this.termOf = this.scratch.terms.values;
    this.terms = Int32Array.from(this.state, (symbol) => this.#termFor(node.symbols.find(symbol)));
    this.wordCount = Math.ceil(this.state.length / BITS_PER_WORD);
    this.masks = new Int32Array((this.symbolIds.length + 1) * this.wordCount);
    this.positionStarts = new Int32Array(this.symbolIds.length + 2);
    this.positions = new Int32Array(this.state.length);
    this.#place();
  }

  /** To be called with every number from 0 on, as patterns are gone through. */
  breathe(count: number): void {
    if (count % INTERRUPT_INTERVAL === 0) this.settings.interrupt?.();
  }

  /** Occurrences of a term in the state. */
  occurrencesOf(term: number): number {
    return (this.positionStarts[term + 1] ?? 0) - (this.positionStarts[term] ?? 0);
  }

  #termFor(id: number | undefined): number {
    if (id === undefined) return 0;
    const found = this.termOf[id] ?? 0;
    if (found > 0) return found;
    this.symbolIds.push(id);
    this.scratch.terms.set(id, this.symbolIds.length);
    return this.symbolIds.length;
  }

  /** Counting sort of the positions by term; term 0 gets its share of `positions`, which nobody reads. */
  #place(): void {
    const { terms, positionStarts, positions, masks, wordCount } = this;
    for (const term of terms) positionStarts[term + 1] = (positionStarts[term + 1] ?? 0) + 1;
    for (let term = 1; term < positionStarts.length; term += 1) {
      positionStarts[term] = (positionStarts[term] ?? 0) + (positionStarts[term - 1] ?? 0);
    }
    const next = positionStarts.slice();
    for (const [position, term] of terms.entries()) {
      const at = next[term] ?? 0;
      next[term] = at + 1;
      positions[at] = position;
      const word = term * wordCount + Math.floor(position / BITS_PER_WORD);
      masks[word] = (masks[word] ?? 0) | (1 << (position % BITS_PER_WORD));
    }
  }
}
