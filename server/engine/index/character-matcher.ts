import { characterSimilarity } from "../similarity.ts";
import { advanceRows, countBits } from "./common-length.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import { BITS_PER_WORD } from "./state-query.ts";
import type { StateQuery } from "./state-query.ts";

const SPACE = " ";

/**
 * Similarity in character mode (prediction.md §4.2): the same bit-parallel subsequence as for symbols, over the code
 * points of the state's text. A symbol's text is turned once per query into where its characters' masks begin.
 */
export class CharacterMatcher {
  readonly #node: NodeReplica;
  readonly #rows: Int32Array;
  readonly #length: number;
  #masks: Int32Array;
  readonly #maskStarts = new Map<string, number>();
  readonly #space: number;
  /** By symbol id; per code point where its mask begins, −1 for one that the state does not have. */
  readonly #texts = new Map<number, Int32Array>();

  constructor(node: NodeReplica, { state }: StateQuery) {
    this.#node = node;
    const characters = Array.from(state.join(SPACE));
    const wordCount = Math.ceil(characters.length / BITS_PER_WORD);
    this.#length = characters.length;
    this.#rows = new Int32Array(wordCount);
    for (const character of characters) {
      if (!this.#maskStarts.has(character)) {
        this.#maskStarts.set(character, this.#maskStarts.size * wordCount);
      }
    }
    this.#masks = new Int32Array(this.#maskStarts.size * wordCount);
    for (const [position, character] of characters.entries()) {
      const start = this.#maskStarts.get(character) ?? 0;
      const word = start + Math.floor(position / BITS_PER_WORD);
      this.#masks[word] = (this.#masks[word] ?? 0) | (1 << (position % BITS_PER_WORD));
    }
    this.#space = this.#maskStarts.get(SPACE) ?? -1;
  }

  similarity(slot: number): number {
    const { patterns } = this.#node;
    const [start, end] = [patterns.startOf(slot), patterns.startOf(slot + 1)];
    const rows = this.#rows.fill(-1);
    let total = this.#length + end - start - 1;
    for (let at = start; at < end; at += 1) {
      if (at > start && this.#space >= 0) advanceRows(rows, this.#masks, this.#space);
      const text = this.#textOf((patterns.symbols[at] ?? 0) & SYMBOL_BITS);
      total += text.length;
      for (const mask of text) if (mask >= 0) advanceRows(rows, this.#masks, mask);
    }
    return characterSimilarity(this.#countCommon(), total);
  }

  /** Bits that are 0 at the state's positions. */
  #countCommon(): number {
    let common = 0;
    for (const [word, row] of this.#rows.entries()) {
      const behind = this.#length - word * BITS_PER_WORD;
      const unused = behind >= BITS_PER_WORD ? 0 : -1 << behind;
      common += countBits(~(row | unused));
    }
    return common;
  }

  #textOf(id: number): Int32Array {
    const found = this.#texts.get(id);
    if (found !== undefined) return found;
    const characters = Array.from(this.#node.symbols.text(id));
    const text = Int32Array.from(characters, (character) => this.#maskStarts.get(character) ?? -1);
    this.#texts.set(id, text);
    return text;
  }
}
