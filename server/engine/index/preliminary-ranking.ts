import type { Candidates } from "./candidates.ts";
import { compareHashes, WORDS_PER_HASH } from "./hash-words.ts";
import type { NodeReplica } from "./node-replica.ts";

/**
 * The first `limit` candidates by preliminary potential, then by similarity, then by hash, found as their potentials become
 * known: a binary heap with the last of those kept on top. The same as `BestCandidates`, with the order built in: most
 * of a small node's patterns are candidates, and comparing them was a third of a prediction.
 */
export class PreliminaryRanking {
  readonly #heap: Int32Array;
  #size = 0;
  readonly #potentials: Float64Array;
  readonly #similarities: Float64Array;
  readonly #slots: Int32Array;
  readonly #hashes: Uint32Array;
  /** First words of the hashes, in which nearly all of them differ. */
  readonly #words: Uint32Array;

  constructor({ patterns }: NodeReplica, candidates: Candidates, limit: number) {
    const { count, slots, similarities } = candidates;
    this.#heap = new Int32Array(limit);
    this.#potentials = new Float64Array(count);
    this.#similarities = similarities;
    this.#slots = slots;
    this.#hashes = patterns.hashes;
    this.#words = new Uint32Array(count);
    for (let index = 0; index < count; index += 1) {
      this.#words[index] = patterns.hashes[(slots[index] ?? 0) * WORDS_PER_HASH] ?? 0;
    }
  }

  /**
   * All candidates, nearly by their hashes: hashes spread evenly over as many buckets. When those come first that win where
   * all else ties, few of those kept are ever put out again.
   */
  byFirstWord(): Int32Array {
    const words = this.#words;
    const count = words.length;
    const ends = new Int32Array(count + 1);
    const scale = count / 2 ** 32;
    for (let index = 0; index < count; index += 1) {
      const bucket = Math.floor((words[index] ?? 0) * scale) + 1;
      ends[bucket] = (ends[bucket] ?? 0) + 1;
    }
    for (let bucket = 1; bucket <= count; bucket += 1) {
      ends[bucket] = (ends[bucket] ?? 0) + (ends[bucket - 1] ?? 0);
    }
    const order = new Int32Array(count);
    for (let index = 0; index < count; index += 1) {
      const bucket = Math.floor((words[index] ?? 0) * scale);
      const at = ends[bucket] ?? 0;
      order[at] = index;
      ends[bucket] = at + 1;
    }
    return order;
  }

  /** Whether a candidate would be kept if it had this potential. */
  keeps(candidate: number, potential: number): boolean {
    if (this.#size < this.#heap.length) return true;
    const last = this.#heap[0] ?? 0;
    const needed = this.#potentials[last] ?? 0;
    return potential === needed ? this.#isTiedBefore(candidate, last) : potential > needed;
  }

  /** Whether it is kept for now. */
  add(candidate: number, potential: number): boolean {
    this.#potentials[candidate] = potential;
    if (this.#size < this.#heap.length) {
      this.#size += 1;
      this.#rise(this.#size - 1, candidate);
      return true;
    }
    if (!this.#isBefore(candidate, this.#heap[0] ?? 0)) return false;
    this.#sink(candidate, this.#size);
    return true;
  }

  /** Takes out those kept, in order. */
  takeSorted(): Int32Array {
    const heap = this.#heap;
    const size = this.#size;
    for (let end = size - 1; end > 0; end -= 1) {
      const last = heap[0] ?? 0;
      this.#sink(heap[end] ?? 0, end);
      heap[end] = last;
    }
    this.#size = 0;
    return heap.subarray(0, size);
  }

  #rise(start: number, rising: number): void {
    const heap = this.#heap;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#isBefore(rising, heap[parent] ?? 0)) break;
      heap[at] = heap[parent] ?? 0;
      at = parent;
    }
    heap[at] = rising;
  }

  /**
   * Puts one in the place of the top, among the first `size`: down to the end by one comparison a level, and up again,
   * since most belong there (Wegener 1993).
   */
  #sink(sinking: number, size: number): void {
    const heap = this.#heap;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      const other = child + 1;
      if (other < size && this.#isBefore(heap[child] ?? 0, heap[other] ?? 0)) child = other;
      heap[at] = heap[child] ?? 0;
      at = child;
    }
    this.#rise(at, sinking);
  }

  #isBefore(a: number, b: number): boolean {
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
}
