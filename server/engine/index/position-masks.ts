export const BITS_PER_WORD = 32;

/** Terms that occur less often than in one word of so many have no mask. */
const WORDS_PER_OCCURRENCE = 4;

/**
 * Where in a sequence of terms, numbered from 1, each of them stands; 0 is a position that nobody asks for.
 *
 *     terms            1  0  2  1
 *     positions of 1   0, 3        of 2   2
 *     mask of 1        0b1001      of 2   0b0100
 *
 * A mask takes a bit per position, in words of 32. Only terms that occur often have one, which bounds all masks together
 * by four words per position, however many terms there are.
 */
export class PositionMasks {
  /** Words of 32 positions that the sequence takes. */
  readonly wordCount: number;
  /** Positions of term t are `positions[starts[t] … starts[t + 1])`, ascending. */
  readonly positions: Int32Array;
  readonly starts: Int32Array;
  /** All masks. When they have one word, that of term t is `masks[t]`. */
  readonly masks: Int32Array;
  /** By term, where its mask begins; 0 without one. */
  readonly #maskStarts: Int32Array;

  constructor(terms: Int32Array, termCount: number) {
    this.wordCount = Math.ceil(terms.length / BITS_PER_WORD);
    this.starts = new Int32Array(termCount + 2);
    this.positions = new Int32Array(terms.length);
    this.#maskStarts = new Int32Array(termCount + 1);
    this.#place(terms);
    this.masks = new Int32Array(this.#placeMasks());
    for (const [position, term] of terms.entries()) {
      const start = this.#maskStarts[term] ?? 0;
      if (start === 0) continue;
      const word = start + Math.floor(position / BITS_PER_WORD);
      this.masks[word] = (this.masks[word] ?? 0) | (1 << (position % BITS_PER_WORD));
    }
  }

  occurrencesOf(term: number): number {
    return (this.starts[term + 1] ?? 0) - (this.starts[term] ?? 0);
  }

  /**
   * The step of the bit-parallel longest common subsequence (see `commonLengthIn`) for one symbol, by term, over the
   * `wordCount` words of `rows`. O(wordCount).
   */
  advance(rows: Int32Array, term: number): void {
    const start = this.#maskStarts[term] ?? 0;
    if (start === 0) this.#advanceByPositions(rows, term);
    else this.#advanceByMask(rows, start);
  }

  /** The carry of the addition runs on to the next word. */
  #advanceByMask(rows: Int32Array, maskStart: number): void {
    const { masks } = this;
    let carry = 0;
    for (let word = 0; word < rows.length; word += 1) {
      const row = rows[word] ?? 0;
      const matching = row & (masks[maskStart + word] ?? 0);
      const sum = (row >>> 0) + (matching >>> 0) + carry;
      carry = sum > 0xffff_ffff ? 1 : 0;
      rows[word] = sum | 0 | (row - matching);
    }
  }

  /** The same: where the mask has no bit, only a carry changes a word. */
  #advanceByPositions(rows: Int32Array, term: number): void {
    const { positions, starts } = this;
    const end = starts[term + 1] ?? 0;
    let at = starts[term] ?? 0;
    let carry = 0;
    while (at < end) {
      let word = (positions[at] ?? 0) >>> 5;
      let mask = 0;
      for (; at < end && (positions[at] ?? 0) >>> 5 === word; at += 1) {
        mask |= 1 << (positions[at] ?? 0);
      }
      const row = rows[word] ?? 0;
      const matching = row & mask;
      const sum = (row >>> 0) + (matching >>> 0) + carry;
      rows[word] = sum | 0 | (row - matching);
      carry = 0;
      if (sum <= 0xffff_ffff) continue;
      // It passes words of ones, which stay so, and ends in the lowest 0 of the next other.
      const next = at < end ? (positions[at] ?? 0) >>> 5 : rows.length;
      word += 1;
      while (word < next && rows[word] === -1) word += 1;
      if (word === next) carry = 1;
      else rows[word] = (rows[word] ?? 0) | ((rows[word] ?? 0) + 1);
    }
  }

  /** Counting sort of the positions by term; term 0 gets its share of `positions`, which nobody reads. */
  #place(terms: Int32Array): void {
    const { starts, positions } = this;
    for (const term of terms) starts[term + 1] = (starts[term + 1] ?? 0) + 1;
    for (let term = 1; term < starts.length; term += 1) {
      starts[term] = (starts[term] ?? 0) + (starts[term - 1] ?? 0);
    }
    const next = starts.slice();
    for (const [position, term] of terms.entries()) {
      const at = next[term] ?? 0;
      next[term] = at + 1;
      positions[at] = position;
    }
  }

  /** Gives the words that all masks take; term 0 has an empty one. */
  #placeMasks(): number {
    let end = this.wordCount;
    for (let term = 1; term < this.#maskStarts.length; term += 1) {
      if (this.occurrencesOf(term) * WORDS_PER_OCCURRENCE < this.wordCount) continue;
      this.#maskStarts[term] = end;
      end += this.wordCount;
    }
    return end;
  }
}
