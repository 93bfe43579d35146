import type { Event } from "@kato-rpc/shared/observation.ts";

import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import type { SparseNumbers } from "./query-scratch.ts";

/**
 * The events of patterns as texts, for one query. Events of a single symbol, as most are, are made once: the same
 * symbols come in one prediction after another, and so do the lists.
 */
export class EventTexts {
  readonly #node: NodeReplica;
  /** By symbol id, the place of its event in the list plus one. */
  readonly #places: SparseNumbers;
  readonly #singles: Event[] = [];
  /** Written anew for each pattern: a list that grows costs more than a copy of one that has. */
  readonly #events: Event[] = [];

  /** `places` are those that symbols were counted by: figures are all there before events are written. */
  constructor(node: NodeReplica, places: SparseNumbers) {
    this.#node = node;
    this.#places = places;
    places.wipe();
  }

  /** All events of a pattern from a position on, at which one must begin. */
  of(slot: number, position = 0): Event[] {
    const { symbols, starts } = this.#node.patterns;
    const { values } = this.#places;
    const singles = this.#singles;
    const events = this.#events;
    const end = starts[slot + 1] ?? 0;
    let count = 0;
    for (let at = (starts[slot] ?? 0) + position; at < end; count += 1) {
      const symbol = symbols[at] ?? 0;
      if (symbol >= 0) {
        const event = this.#node.eventAt(at);
        events[count] = event;
        at += event.length;
      } else {
        const id = symbol & SYMBOL_BITS;
        const place = values[id] ?? 0;
        events[count] = place === 0 ? this.#addSingle(id) : (singles[place - 1] as Event);
        at += 1;
      }
    }
    return events.slice(0, count);
  }

  #addSingle(id: number): Event {
    const event = [this.#node.symbols.text(id)];
    this.#singles.push(event);
    this.#places.set(id, this.#singles.length);
    return event;
  }
}
