import { tokenSimilarity } from "../similarity.ts";
import type { NodeReplica } from "./node-replica.ts";
import type { PostingLists } from "./posting-lists.ts";
import type { StateQuery } from "./state-query.ts";

/** Postings are followed only when they name fewer slots than this share of all: in order, memory is read faster. */
const SHARE_WORTH_FOLLOWING = 0.5;

/**
 * The slots that can pass the threshold, each once, and some that cannot; undefined for all of them. At a threshold of 0
 * all can. Above it a pattern must share a symbol, in character mode too (prediction.md §5.3); in token mode it must
 * share as many occurrences as the shortest pattern would need, so that those of the commonest symbols, one fewer,
 * may be left out: a pattern with only these has too few.
 */
export function promisingSlots(node: NodeReplica, query: StateQuery): Int32Array | undefined {
  if (query.settings.recallThreshold === 0) return undefined;
  const { postings, patterns } = node;
  const terms = termsToFollow(node, query);
  const lengthOf = (term: number): number => postings.lengthOf(query.symbolIds[term - 1] ?? 0);
  const named = terms.reduce((sum, term) => sum + lengthOf(term), 0);
  if (named > patterns.size * SHARE_WORTH_FOLLOWING) return undefined;

  const slots = new Int32Array(named);
  const visited = new Int32Array((patterns.size >>> 5) + 1);
  let count = 0;
  for (const term of terms) {
    const start = postings.startOf(query.symbolIds[term - 1] ?? 0);
    const end = start + lengthOf(term);
    for (let at = start; at < end; at += 1) {
      const slot = postings.pool[at] ?? 0;
      const word = visited[slot >>> 5] ?? 0;
      if ((word & (1 << (slot & 31))) !== 0) continue;
      visited[slot >>> 5] = word | (1 << (slot & 31));
      slots[count++] = slot;
    }
  }
  return slots.subarray(0, count);
}

/** Terms of the state, rarest first, without the commonest that a candidate cannot live on. */
function termsToFollow(node: NodeReplica, query: StateQuery): number[] {
  const terms = termsByPatterns(node.postings, query);
  let spare = leastCommonOfAny(node, query) - 1;
  while (terms.length > 0) {
    spare -= query.masks.occurrencesOf(terms.at(-1) ?? 0);
    if (spare < 0) return terms;
    terms.pop();
  }
  return terms;
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
