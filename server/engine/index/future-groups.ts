import type { Event } from "@kato-rpc/shared/observation.ts";

import { withRoomFor } from "./growing-array.ts";
import type { NodeReplica } from "./node-replica.ts";
import { EVENT_END, SYMBOL_BITS } from "./pattern-table.ts";
import type { QueryArrays } from "./query-arrays.ts";

export interface FutureGroup {
  /** The first member's slot, and where its future begins among its symbols. */
  slot: number;
  start: number;
  members: number;
  /** Its events once they are written. */
  events: Event[] | undefined;
  /** Sum of frequency times similarity, in the order of the ensemble. */
  weight: number;
}

interface KeyedGroup extends FutureGroup {
  keyStart: number;
  keyEnd: number;
  hash: number;
  /** The group before in the same bucket, by its number; −1 when it is the first. */
  next: number;
}

/** A power of two. */
const LEAST_BUCKETS = 1_024;

/**
 * Groups the futures of an ensemble that are equal but for the order inside their events (prediction.md §8.3). A future's
 * key is its symbols, sorted in each event, as the pattern has them: all keys lie in one array, found by a hash.
 */
export class FutureGroups {
  readonly #node: NodeReplica;
  readonly #groups: KeyedGroup[] = [];
  /** By bucket, the number of its last group plus one. */
  #heads: Int32Array;
  #buckets = LEAST_BUCKETS;
  #keys: Int32Array;
  #keysEnd = 0;

  constructor(node: NodeReplica, arrays: QueryArrays) {
    this.#node = node;
    this.#heads = arrays.ints(LEAST_BUCKETS).fill(0, 0, LEAST_BUCKETS);
    this.#keys = arrays.ints(4_096);
  }

  /** undefined when the pattern ends with its present. */
  add(slot: number, start: number, weight: number): FutureGroup | undefined {
    if (start >= this.#node.patterns.lengthOf(slot)) return undefined;
    const group = this.#findOrAdd(slot, start);
    group.members += 1;
    group.weight += weight;
    return group;
  }

  /** In the order of their first members. */
  groups(): FutureGroup[] {
    return this.#groups;
  }

  #findOrAdd(slot: number, start: number): KeyedGroup {
    const keyStart = this.#keysEnd;
    const keyEnd = this.#writeKey(slot, start);
    const hash = this.#hashKey(keyEnd);
    const bucket = this.#bucketOf(hash);
    for (let number = (this.#heads[bucket] ?? 0) - 1; number >= 0;) {
      const group = this.#groups[number] as KeyedGroup;
      if (group.hash === hash && this.#isEqual(group, keyEnd)) return group;
      number = group.next;
    }
    const next = (this.#heads[bucket] ?? 0) - 1;
    const events = undefined;
    const group = { slot, start, events, members: 0, weight: 0, keyStart, keyEnd, hash, next };
    this.#groups.push(group);
    this.#heads[bucket] = this.#groups.length;
    this.#keysEnd = keyEnd;
    if (this.#groups.length > this.#buckets) this.#addBuckets();
    return group;
  }

  /** The low bits alone are those of the ids: FNV mixes upwards. */
  #bucketOf(hash: number): number {
    return (hash ^ (hash >>> 16)) & (this.#buckets - 1);
  }

  #addBuckets(): void {
    this.#buckets *= 2;
    this.#heads = new Int32Array(this.#buckets);
    for (const [number, group] of this.#groups.entries()) {
      const bucket = this.#bucketOf(group.hash);
      group.next = (this.#heads[bucket] ?? 0) - 1;
      this.#heads[bucket] = number + 1;
    }
  }

  /** Writes a key behind the last one kept; gives where it ends. */
  #writeKey(slot: number, start: number): number {
    const { symbols } = this.#node.patterns;
    const from = this.#node.patterns.startOf(slot) + start;
    const end = this.#node.patterns.startOf(slot + 1);
    const offset = this.#keysEnd - from;
    this.#keys = withRoomFor(this.#keys, end + offset);
    const keys = this.#keys;
    let eventStart = from;
    for (let at = from; at < end; at += 1) {
      const symbol = symbols[at] ?? 0;
      keys[at + offset] = symbol;
      if (symbol >= 0) continue;
      if (at > eventStart) sortEvent(keys.subarray(eventStart + offset, at + offset + 1));
      eventStart = at + 1;
    }
    return end + offset;
  }

  /** FNV-1a over whole symbols. */
  #hashKey(keyEnd: number): number {
    let hash = 0x811c_9dc5 | 0;
    for (let at = this.#keysEnd; at < keyEnd; at += 1) {
      hash = Math.imul(hash ^ (this.#keys[at] ?? 0), 0x0100_0193);
    }
    return hash;
  }

  #isEqual({ keyStart, keyEnd }: KeyedGroup, otherEnd: number): boolean {
    const otherStart = this.#keysEnd;
    if (keyEnd - keyStart !== otherEnd - otherStart) return false;
    for (let i = 0; i < keyEnd - keyStart; i += 1) {
      if (this.#keys[keyStart + i] !== this.#keys[otherStart + i]) return false;
    }
    return true;
  }
}

/** Ascending by id, the mark of the event's end on the last. */
function sortEvent(event: Int32Array): void {
  const last = event.length - 1;
  event[last] = (event[last] ?? 0) & SYMBOL_BITS;
  event.sort();
  event[last] = (event[last] ?? 0) | EVENT_END;
}
