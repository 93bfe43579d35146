import { tokenSimilarity } from "../similarity.ts";
import type { NodeReplica } from "./node-replica.ts";
import type { PostingLists } from "./posting-lists.ts";
import type { StateQuery } from "./state-query.ts";

/** Occurrences that a slot shares with the state are counted up to this, which stands for any number. */
const MOST_COUNTED = 255;

/** The meter is told before so many are looked at, since it pauses once however much it is told of. */
const SLOTS_PER_SPEND = 4_096;

/** Slots that a query has to look at, each once, and how much each can share with the state. */
export class PromisingSlots {
  readonly slots: Int32Array;
  /** By slot, the occurrences that the state has of those of its symbols that were followed. */
  readonly #shared: Uint8Array;
  /** Occurrences in the state of the symbols that were not followed. */
  readonly #spare: number;

  constructor(slots: Int32Array, shared: Uint8Array, spare: number) {
    this.slots = slots;
    this.#shared = shared;
    this.#spare = spare;
  }

  /**
   * Of one of the slots: no common subsequence of the state and its pattern is longer. Where this is 1, one is as long: the
   * slot was followed, and nothing is spare.
   */
  mostCommon(slot: number): number {
    const shared = this.#shared[slot] ?? 0;
    return shared === MOST_COUNTED ? Infinity : shared + this.#spare;
  }
}

/**
 * The slots that can pass the threshold, and some that cannot; undefined for all of them. At a threshold of 0
 * all can. Above it a pattern must share a symbol, in character mode too (prediction.md §5.3); in token mode it must
 * share as many occurrences as the shortest pattern would need, so that those of the commonest symbols, one fewer,
 * may be left out: a pattern with only these has too few.
 */
export function promisingSlots(node: NodeReplica, query: StateQuery): PromisingSlots | undefined {
  if (query.settings.recallThreshold === 0) return undefined;
  const { postings, patterns } = node;
  const { symbolIds, masks, work } = query;
  const { pool } = postings;
  const { terms, spare } = termsToFollow(node, query);
  const lengthOf = (term: number): number => postings.lengthOf(symbolIds[term - 1] ?? 0);
  const named = terms.reduce((sum, term) => sum + lengthOf(term), 0);
  const slots = query.arrays.ints(Math.min(named, patterns.size));
  const shared = query.arrays.bytes(patterns.size).fill(0, 0, patterns.size);
  let count = 0;
  for (const term of terms) {
    const occurrences = masks.occurrencesOf(term);
    const start = postings.startOf(symbolIds[term - 1] ?? 0);
    const end = start + lengthOf(term);
    for (let at = start; at < end; at += 1) {
      if ((at - start) % SLOTS_PER_SPEND === 0) work.spend(SLOTS_PER_SPEND);
      const slot = pool[at] ?? 0;
      const before = shared[slot] ?? 0;
      if (before === 0) slots[count++] = slot;
      shared[slot] = Math.min(before + occurrences, MOST_COUNTED);
    }
  }
  return new PromisingSlots(slots.subarray(0, count), shared, spare);
}

/**
 * Terms of the state, rarest first, without the commonest that a candidate cannot live on, of which the state has `spare`
 * occurrences.
 */
function termsToFollow(node: NodeReplica, query: StateQuery): { terms: number[]; spare: number } {
  const terms = termsByPatterns(node.postings, query);
  const most = leastCommonOfAny(node, query) - 1;
  let spare = 0;
  while (terms.length > 0) {
    const more = spare + query.masks.occurrencesOf(terms.at(-1) ?? 0);
    if (more > most) break;
    spare = more;
    terms.pop();
  }
  return { terms, spare };
}

/** Terms of the state, those that the fewest patterns have first. */
export function termsByPatterns(postings: PostingLists, { symbolIds }: StateQuery): number[] {
  return symbolIds
    .map((id, index) => ({ term: index + 1, length: postings.lengthOf(id) }))
    .sort((a, b) => a.length - b.length)
    .map(({ term }) => term);
}

/** The shortest common subsequence that lets a pattern of this node pass; beyond the state's length none can. */
function leastCommonOfAny({ patterns }: NodeReplica, { state, settings }: StateQuery): number {
  if (!settings.useTokenMatching) return 1;
  for (let common = 1; common <= state.length; common += 1) {
    const total = Math.max(patterns.leastLength, common) + state.length;
    if (tokenSimilarity(common, total) >= settings.recallThreshold) return common;
  }
  return state.length + 1;
}

/** The shortest common subsequence that lets a pattern of so many symbols pass, asked once per length. */
export class LeastCommon {
  readonly #query: StateQuery;
  readonly #byLength: number[] = [];

  constructor(query: StateQuery) {
    this.#query = query;
  }

  for(patternLength: number): number {
    return (this.#byLength[patternLength] ??= this.#find(patternLength));
  }

  #find(patternLength: number): number {
    const { state, settings, work } = this.#query;
    const total = patternLength + state.length;
    let common = 0;
    while (common <= state.length && tokenSimilarity(common, total) < settings.recallThreshold) {
      common += 1;
    }
    work.spend(common);
    return common;
  }
}
