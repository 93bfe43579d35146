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

  constructor(node: NodeReplica, places: SparseNumbers) {
    this.#node = node;
    this.#places = places;
    places.wipe();
  }

  /** The event that begins at a place among the symbols of all patterns. */
  at(start: number): Event {
    const symbol = this.#node.patterns.symbols[start] ?? 0;
    if (symbol >= 0) return this.#node.eventAt(start);
    const id = symbol & SYMBOL_BITS;
    const place = this.#places.values[id] ?? 0;
    return place === 0 ? this.#addSingle(id) : (this.#singles[place - 1] as Event);
  }

  /** All events of a pattern from a position on, at which one must begin. */
  of(slot: number, position = 0): Event[] {
    const { patterns } = this.#node;
    const events = this.#events;
    const end = patterns.startOf(slot + 1);
    let count = 0;
    for (let at = patterns.startOf(slot) + position; at < end; count += 1) {
      const event = this.at(at);
      events[count] = event;
      at += event.length;
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
