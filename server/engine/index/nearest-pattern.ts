import { tokenSimilarity } from "../similarity.ts";
import type { CommonLength } from "./common-length.ts";
import type { NodeReplica } from "./node-replica.ts";
import { termsByPatterns } from "./promising-slots.ts";
import type { StateQuery } from "./state-query.ts";

/**
 * The highest similarity of any pattern in token mode; 0 where none shares a symbol. Patterns are looked at by the state's
 * symbols, rarest first: one that has none of those gone through has at most the occurrences of the rest in common, and
 * once that would not do for more than was found, the commonest symbols, which most patterns have, are left out.
 */
export function nearestSimilarity(
  { patterns, postings }: NodeReplica,
  query: StateQuery,
  commonLength: CommonLength,
): number {
  const { symbolIds, masks, state } = query;
  const { starts, frequencies } = patterns;
  const terms = termsByPatterns(postings, query);
  let rest = terms.reduce((sum, term) => sum + masks.occurrencesOf(term), 0);
  let best = 0;
  for (const term of terms) {
    // No pattern comes nearer than the shortest that may have all of the rest.
    if (tokenSimilarity(rest, Math.max(patterns.leastLength, rest) + state.length) <= best) break;
    const id = symbolIds[term - 1] ?? 0;
    const start = postings.startOf(id);
    const end = start + postings.lengthOf(id);
    for (let at = start; at < end; at += 1) {
      const slot = postings.pool[at] ?? 0;
      const length = (starts[slot + 1] ?? 0) - (starts[slot] ?? 0);
      query.breathe(length);
      const total = length + state.length;
      if (tokenSimilarity(Math.min(rest, length), total) <= best) continue;
      if (frequencies[slot] === 0) continue;
      best = Math.max(best, tokenSimilarity(commonLength(slot), total));
    }
    rest -= masks.occurrencesOf(term);
  }
  return best;
}
