import type { Event } from "@kato-rpc/shared/observation.ts";

import type { NodeReplica } from "../index/node-replica.ts";
import type { WorkMeter } from "../index/work-meter.ts";
import { isVectorName } from "../vector-symbol.ts";
import type { ContextIndex } from "./context-index.ts";
import { compareEvents } from "./event-order.ts";

/** Part of all symbols of two events that they must share to be taken for the same. */
export const LEAST_OVERLAP = 0.5;

/** What looking at an event costs, as a `WorkMeter` counts it, for each of its symbols. */
const STEPS_PER_SYMBOL = 16;

/** How much a known event is like the observed one; 0: too little. */
type Likeness = (symbols: ReadonlySet<number>) => number;

/**
 * The known event that an observed one is taken for. Symbols that no pattern has are left out: a vector's own name among
 * them, unless that very vector was learned. If what is left is no known event, then it is
 *
 * 1. of those with the same symbols apart from vectors' names, the one that shares most names of vectors, one at least: which
 *    names are nearest to a vector changes with all that is learned;
 * 2. else the one that shares the greatest part of all symbols that the two have, half of them at least;
 *
 * and of equals the one that came most often after the event before, of those the one with the most tables in the prior,
 * and the first by symbols where all that is equal.
 */
export class KnownEvents {
  readonly #node: NodeReplica;
  readonly #index: ContextIndex;
  readonly #meter: WorkMeter;

  constructor(node: NodeReplica, index: ContextIndex, meter: WorkMeter) {
    this.#node = node;
    this.#index = index;
    this.#meter = meter;
  }

  /** The number of just that event; −1 where no pattern has it. */
  find(event: Event): number {
    const symbols = this.#symbolsOf(event);
    return symbols.length < event.length ? -1 : this.#index.find(symbols);
  }

  /** The number of the event that one after `before` is taken for; −1 for none. O(events with one of the rarer half of its symbols). */
  resolve(event: Event, before: number): number {
    const symbols = this.#symbolsOf(event);
    if (symbols.length === 0) return -1;
    const exact = this.#index.find(symbols);
    if (exact >= 0) return exact;

    const wanted = new Set(symbols);
    const names = [...wanted].filter((symbol) => this.#isVector(symbol));
    const nearest = this.#mostAlike(names, before, (known) => {
      const differs = (symbol: number): boolean =>
        !this.#isVector(symbol) && !(known.has(symbol) && wanted.has(symbol));
      return [...known, ...wanted].some(differs) ? 0 : sharedBy(known, wanted);
    });
    if (nearest >= 0) return nearest;

    const { ids } = this.#index;
    // Who has none of these shares less than half.
    const rarest = [...wanted].toSorted((a, b) => ids.countWith(a) - ids.countWith(b));
    const enough = wanted.size - Math.ceil(LEAST_OVERLAP * wanted.size) + 1;
    return this.#mostAlike(rarest.slice(0, enough), before, (known) => {
      const shared = sharedBy(known, wanted);
      const overlap = shared / (known.size + wanted.size - shared);
      return overlap < LEAST_OVERLAP ? 0 : overlap;
    });
  }

  /** Of the events that have one of the symbols. */
  #mostAlike(symbols: readonly number[], before: number, likenessOf: Likeness): number {
    const seen = new Set<number>();
    let best = -1;
    let most = 0;
    for (const symbol of symbols) {
      for (const event of this.#index.ids.withSymbol(symbol)) {
        this.#meter.spend(STEPS_PER_SYMBOL);
        if (seen.has(event) || this.#tablesOf(event) === 0) continue;
        seen.add(event);
        const known = new Set(this.#node.symbolsAt(this.#index.firstPlaceOf(event)));
        this.#meter.spend(known.size * STEPS_PER_SYMBOL);
        const likeness = likenessOf(known);
        if (likeness === 0 || likeness < most) continue;
        if (likeness === most && !this.#isBetter(event, best, before)) continue;
        most = likeness;
        best = event;
      }
    }
    return best;
  }

  #isBetter(event: number, other: number, before: number): boolean {
    const index = this.#index;
    const order =
      index.timesAfter(before, event) - index.timesAfter(before, other) ||
      this.#tablesOf(event) - this.#tablesOf(other) ||
      compareEvents(this.#eventOf(other), this.#eventOf(event));
    return order > 0;
  }

  #tablesOf(event: number): number {
    return this.#index.tablesOf(event + 1);
  }

  #eventOf(event: number): Event {
    return this.#node.eventAt(this.#index.firstPlaceOf(event));
  }

  #isVector(symbol: number): boolean {
    return isVectorName(this.#node.symbols.text(symbol));
  }

  /** Those that some pattern has. */
  #symbolsOf(event: Event): number[] {
    const { symbols } = this.#node;
    const ids: number[] = [];
    for (const text of event) {
      const id = symbols.find(text);
      if (id !== undefined && symbols.members(id) > 0) ids.push(id);
    }
    return ids;
  }
}

function sharedBy(known: ReadonlySet<number>, wanted: ReadonlySet<number>): number {
  let shared = 0;
  for (const symbol of wanted) shared += Number(known.has(symbol));
  return shared;
}
