import type { NodeReplica } from "./node-replica.ts";
import { EVENT_END, SYMBOL_BITS } from "./pattern-table.ts";

export interface FutureGroup {
  /** The first member's slot, and where its future begins among its symbols. */
  slot: number;
  start: number;
  members: number;
  /** Sum of frequency times similarity, in the order of the ensemble. */
  weight: number;
}

/** Groups the futures of an ensemble that are equal but for the order inside their events (prediction.md §8.3). */
export class FutureGroups {
  readonly #groups = new Map<string, FutureGroup>();
  readonly #node: NodeReplica;
  readonly #key: number[] = [];

  constructor(node: NodeReplica) {
    this.#node = node;
  }

  /** undefined when the pattern ends with its present. */
  add(slot: number, start: number, weight: number): FutureGroup | undefined {
    if (start >= this.#node.patterns.lengthOf(slot)) return undefined;
    const key = this.#keyOf(slot, start);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { slot, start, members: 0, weight: 0 };
      this.#groups.set(key, group);
    }
    group.members += 1;
    group.weight += weight;
    return group;
  }

  /** In the order of their first members. */
  groups(): FutureGroup[] {
    return [...this.#groups.values()];
  }

  /** Two characters per symbol, sorted in each event, its last with the mark that the pattern has there. */
  #keyOf(slot: number, start: number): string {
    const { symbols } = this.#node.patterns;
    const key = this.#key;
    key.length = 0;
    const from = this.#node.patterns.startOf(slot) + start;
    const end = this.#node.patterns.startOf(slot + 1);
    let eventStart = from;
    for (let at = from; at < end; at += 1) {
      if ((symbols[at] ?? 0) >= 0) continue;
      if (at === eventStart) pushId(key, symbols[at] ?? 0);
      else for (const id of sortedIds(symbols.subarray(eventStart, at + 1))) pushId(key, id);
      eventStart = at + 1;
    }
    return textOf(key);
  }
}

/** Ascending, with the mark of the event's end on the last. */
function sortedIds(event: Int32Array): Int32Array {
  const ids = event.map((symbol) => symbol & SYMBOL_BITS).sort();
  ids[ids.length - 1] = (ids.at(-1) ?? 0) | EVENT_END;
  return ids;
}

function pushId(key: number[], id: number): void {
  key.push(id & 0xffff, id >>> 16);
}

/** As many characters as an argument list may have on any engine. */
const CHARACTERS_AT_ONCE = 8192;

function textOf(key: readonly number[]): string {
  if (key.length <= CHARACTERS_AT_ONCE) return String.fromCharCode(...key);
  let text = "";
  for (let at = 0; at < key.length; at += CHARACTERS_AT_ONCE) {
    text += String.fromCharCode(...key.slice(at, at + CHARACTERS_AT_ONCE));
  }
  return text;
}
