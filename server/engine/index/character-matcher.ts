import { characterSimilarity } from "../similarity.ts";
import { countBits } from "./common-length.ts";
import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import { BITS_PER_WORD, PositionMasks } from "./position-masks.ts";
import type { StateQuery } from "./state-query.ts";
import type { WorkMeter } from "./work-meter.ts";

const SPACE = " ";

/**
 * Similarity in character mode (prediction.md §4.2): the same bit-parallel subsequence as for symbols, over the code
 * points of the state's text. A symbol's text is turned once per query into the terms of its characters.
 */
export class CharacterMatcher {
  readonly #node: NodeReplica;
  readonly #work: WorkMeter;
  readonly #rows: Int32Array;
  /** Code points of the state's text. */
  readonly #length: number;
  readonly #masks: PositionMasks;
  /** The state's distinct code points, numbered from 1. */
  readonly #terms = new Map<string, number>();
  readonly #space: number;
  /** By symbol id; per code point its term, 0 for one that the state does not have. */
  readonly #texts = new Map<number, Int32Array>();

  constructor(node: NodeReplica, { state, work }: StateQuery) {
    this.#node = node;
    this.#work = work;
    const characters = Array.from(state.join(SPACE));
    this.#length = characters.length;
    for (const character of characters) {
      if (!this.#terms.has(character)) this.#terms.set(character, this.#terms.size + 1);
    }
    this.#masks = new PositionMasks(this.#termsOf(characters), this.#terms.size);
    this.#rows = new Int32Array(this.#masks.wordCount);
    this.#space = this.#termOf(SPACE);
  }

  similarity(slot: number): number {
    const { patterns } = this.#node;
    const [start, end] = [patterns.startOf(slot), patterns.startOf(slot + 1)];
    this.#rows.fill(-1);
    let total = this.#length + end - start - 1;
    for (let at = start; at < end; at += 1) {
      if (at > start) this.#advance(this.#space);
      const text = this.#textOf((patterns.symbols[at] ?? 0) & SYMBOL_BITS);
      total += text.length;
      this.#work.spend(text.length);
      for (const term of text) this.#advance(term);
    }
    return characterSimilarity(this.#countCommon(), total);
  }

  #advance(term: number): void {
    if (term === 0) return;
    this.#work.spend(this.#masks.wordCount);
    this.#masks.advance(this.#rows, term);
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
    const text = this.#termsOf(Array.from(this.#node.symbols.text(id)));
    this.#texts.set(id, text);
    return text;
  }

  #termsOf(characters: readonly string[]): Int32Array {
    return Int32Array.from(characters, (character) => this.#termOf(character));
  }

  #termOf(character: string): number {
    return this.#terms.get(character) ?? 0;
  }
}
