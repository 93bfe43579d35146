import type { NodeReplica } from "./node-replica.ts";
import { SYMBOL_BITS } from "./pattern-table.ts";
import { BITS_PER_WORD } from "./position-masks.ts";
import type { StateQuery } from "./state-query.ts";

/** Gives the length of the longest common subsequence of the state and the pattern in a slot. */
export type CommonLength = (slot: number) => number;

/**
 * Bit-parallel over words of 32 state positions: O(n · words), a symbol outside the state costs one look. A bit that is
 * 0 marks a row of the usual matrix where the length grows. Hyyrö 2004, the variant with one addition and one
 * subtraction; the subtraction never borrows, being of bits that are set.
 */
export function commonLengthIn(node: NodeReplica, query: StateQuery): CommonLength {
  return query.masks.wordCount === 1 ? inOneWord(node, query) : inWords(node, query);
}

function inOneWord({ patterns }: NodeReplica, { termOf, masks, state }: StateQuery): CommonLength {
  const { symbols, starts } = patterns;
  const words = masks.masks;
  const unused = state.length === BITS_PER_WORD ? 0 : -1 << state.length;
  return (slot) => {
    const end = starts[slot + 1] ?? 0;
    let rows = -1;
    for (let at = starts[slot] ?? 0; at < end; at += 1) {
      const term = termOf[(symbols[at] ?? 0) & SYMBOL_BITS] ?? 0;
      if (term === 0) continue;
      const matching = rows & (words[term] ?? 0);
      rows = (rows + matching) | (rows - matching);
    }
    return countBits(~(rows | unused));
  };
}

function inWords({ patterns }: NodeReplica, query: StateQuery): CommonLength {
  const { symbols, starts } = patterns;
  const { termOf, masks, work, state } = query;
  const { wordCount } = masks;
  const rows = new Int32Array(wordCount);
  return (slot) => {
    const end = starts[slot + 1] ?? 0;
    rows.fill(-1);
    for (let at = starts[slot] ?? 0; at < end; at += 1) {
      const term = termOf[(symbols[at] ?? 0) & SYMBOL_BITS] ?? 0;
      if (term === 0) continue;
      work.spend(wordCount);
      masks.advance(rows, term);
    }
    let unset = 0;
    for (const row of rows) unset += countBits(~row);
    // Behind the state's end no mask has a bit, but a carry may have run there.
    return unset - countBits(~trailing(rows, state.length));
  };
}

/** The last word with the bits of positions set, so that only those behind the end can be 0. */
function trailing(rows: Int32Array, length: number): number {
  const used = length % BITS_PER_WORD;
  return used === 0 ? -1 : (rows.at(-1) ?? 0) | ~(-1 << used);
}

export function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  bits = (bits + (bits >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(bits, 0x0101_0101) >>> 24;
}
