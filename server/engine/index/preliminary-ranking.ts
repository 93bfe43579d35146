import type { Candidates } from "./candidates.ts";
import { compareHashes, WORDS_PER_HASH } from "./hash-words.ts";
import { MergeSort } from "./merge-sort.ts";
import type { QueryArrays } from "./query-arrays.ts";
import type { WorkMeter } from "./work-meter.ts";

export interface Limits {
  /** So many are wanted. */
  limit: number;
  arrays: QueryArrays;
  work: WorkMeter;
}

/**
 * The first `limit` candidates by preliminary potential, then by similarity, then by hash, found as their potentials become
 * known: twice as many may wait, and then those that come last are let go. When the best come first, few wait that
 * are let go, and what waits is nearly in order.
 */
export class PreliminaryRanking {
  readonly #limit: number;
  readonly #count: number;
  readonly #arrays: QueryArrays;
  /** So many may wait. */
  readonly #room: number;
  /** Those that wait: the first `#sorted` in order, behind them those that came since. */
  readonly #waiting: Int32Array;
  readonly #sort: MergeSort;
  #sorted = 0;
  #size = 0;
  /** The one that comes last of `limit`, once there are as many. */
  #last = -1;
  readonly #potentials: Float64Array;
  readonly #similarities: Float64Array;
  readonly #slots: Int32Array;
  readonly #hashes: Uint32Array;
  /** First words of the hashes, in which nearly all of them differ: as doubles, which have room for 32 bits unsigned. */
  readonly #words: Float64Array;

  constructor(hashes: Uint32Array, candidates: Candidates, { limit, arrays, work }: Limits) {
    const { count, slots, similarities } = candidates;
    this.#limit = limit;
    this.#count = count;
    this.#arrays = arrays;
    this.#room = Math.min(count, 2 * limit);
    this.#waiting = arrays.ints(this.#room);
    this.#sort = new MergeSort(this.#waiting, this, { left: arrays.ints(this.#room), work });
    this.#potentials = arrays.doubles(count);
    this.#similarities = similarities;
    this.#slots = slots;
    this.#hashes = hashes;
    this.#words = arrays.doubles(count);
    for (let index = 0; index < count; index += 1) {
      this.#words[index] = hashes[(slots[index] ?? 0) * WORDS_PER_HASH] ?? 0;
    }
  }

  /**
   * All candidates, nearly by their hashes: hashes spread evenly over as many buckets. When those come first that win where
   * all else ties, few of those kept are ever put out again.
   */
  byFirstWord(): Int32Array {
    const words = this.#words;
    const count = this.#count;
    const ends = this.#arrays.ints(count + 1).fill(0, 0, count + 1);
    const scale = count / 2 ** 32;
    for (let index = 0; index < count; index += 1) {
      const bucket = Math.floor((words[index] ?? 0) * scale) + 1;
      ends[bucket] = (ends[bucket] ?? 0) + 1;
    }
    for (let bucket = 1; bucket <= count; bucket += 1) {
      ends[bucket] = (ends[bucket] ?? 0) + (ends[bucket - 1] ?? 0);
    }
    const order = this.#arrays.ints(count);
    for (let index = 0; index < count; index += 1) {
      const bucket = Math.floor((words[index] ?? 0) * scale);
      const at = ends[bucket] ?? 0;
      order[at] = index;
      ends[bucket] = at + 1;
    }
    return order;
  }

  /** Whether a candidate may be among them if it has this potential. */
  keeps(candidate: number, potential: number): boolean {
    if (this.#last < 0) return true;
    const needed = this.#potentials[this.#last] ?? 0;
    return potential === needed ? this.#isTiedBefore(candidate, this.#last) : potential > needed;
  }

  /** Whether it is kept for now. */
  add(candidate: number, potential: number): boolean {
    this.#potentials[candidate] = potential;
    if (this.#last >= 0 && !this.isBefore(candidate, this.#last)) return false;
    this.#waiting[this.#size] = candidate;
    this.#size += 1;
    const isFull = this.#size === this.#room;
    if (isFull || (this.#last < 0 && this.#size === this.#limit)) this.#cut();
    return true;
  }

  /** Those kept, in order. */
  sorted(): Int32Array {
    this.#cut();
    return this.#waiting.subarray(0, this.#size);
  }

  isBefore(a: number, b: number): boolean {
    const potentialA = this.#potentials[a] ?? 0;
    const potentialB = this.#potentials[b] ?? 0;
    return potentialA === potentialB ? this.#isTiedBefore(a, b) : potentialA > potentialB;
  }

  #isTiedBefore(a: number, b: number): boolean {
    const similarityA = this.#similarities[a] ?? 0;
    const similarityB = this.#similarities[b] ?? 0;
    if (similarityA !== similarityB) return similarityA > similarityB;
    const wordA = this.#words[a] ?? 0;
    const wordB = this.#words[b] ?? 0;
    if (wordA !== wordB) return wordA < wordB;
    return compareHashes(this.#hashes, this.#slots[a] ?? 0, this.#slots[b] ?? 0) < 0;
  }

  #cut(): void {
    this.#sort.sort(this.#sorted, this.#size);
    this.#sort.merge(0, this.#sorted, this.#size);
    this.#size = Math.min(this.#size, this.#limit);
    this.#sorted = this.#size;
    if (this.#size === this.#limit) this.#last = this.#waiting[this.#limit - 1] ?? -1;
  }
}
