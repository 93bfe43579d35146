import type { Anomaly } from "@kato-rpc/shared/prediction.ts";

import { symbolRatioPercent } from "../similarity.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { StateQuery } from "./state-query.ts";

/** Two symbols' similarity that is known already is looked up in maps. */
const STEPS_PER_LOOK = 16;

/**
 * Finds the state's symbols partners in a pattern (prediction.md §5.5, as `matchFuzzily`), comparing any two spellings
 * once per query.
 */
export class FuzzyMatcher {
  readonly #node: NodeReplica;
  readonly #query: StateQuery;
  readonly #leastPercent: number;
  /** By spelling in the state, then by symbol id. */
  readonly #percents = new Map<string, Map<number, number>>();

  constructor(node: NodeReplica, query: StateQuery, threshold: number) {
    this.#node = node;
    this.#query = query;
    this.#leastPercent = 100 * threshold;
    for (const symbol of query.state) this.#percents.set(symbol, new Map());
  }

  /** Positions of the state whose symbols have a partner in the slot, ascending. */
  positions(slot: number): number[] {
    const positions: number[] = [];
    for (const [position, symbol] of this.#query.state.entries()) {
      if (this.#findPartner(slot, symbol) >= 0) positions.push(position);
    }
    return positions;
  }

  match(slot: number): { matches: string[]; anomalies: Anomaly[] } {
    const matches: string[] = [];
    const anomalies: Anomaly[] = [];
    for (const observed of this.#query.state) {
      const partner = this.#findPartner(slot, observed);
      if (partner < 0) continue;
      matches.push(observed);
      const expected = this.#node.symbols.text(partner);
      if (expected === observed) continue;
      anomalies.push({ observed, expected, similarity: this.#percent(observed, partner) / 100 });
    }
    return { matches, anomalies };
  }

  /** The id of the first symbol in the slot that is most alike and alike enough; −1 without one. */
  #findPartner(slot: number, observed: string): number {
    const { patterns } = this.#node;
    const end = patterns.startOf(slot + 1);
    this.#query.work.spend(STEPS_PER_LOOK * patterns.lengthOf(slot));
    let best = -1;
    let bestPercent = -1;
    for (let at = patterns.startOf(slot); at < end; at += 1) {
      const id = (patterns.symbols[at] ?? 0) & SYMBOL_BITS;
      const percent = this.#percent(observed, id);
      if (percent < this.#leastPercent || percent <= bestPercent) continue;
      best = id;
      bestPercent = percent;
    }
    return best;
  }

  #percent(observed: string, id: number): number {
    const known = this.#percents.get(observed);
    const found = known?.get(id);
    if (found !== undefined) return found;
    // Long spellings take long, and patterns with many of them longer.
    this.#query.settings.interrupt?.();
    const percent = symbolRatioPercent(observed, this.#node.symbols.text(id));
    known?.set(id, percent);
    return percent;
  }
}
