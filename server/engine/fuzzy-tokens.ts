import type { Anomaly } from "@kato-rpc/shared/prediction.ts";

import { symbolRatioPercent } from "./similarity.ts";

export interface FuzzyMatches {
  /** The state's symbols that have a partner in the pattern, as observed. */
  matches: string[];
  /** Those of them that the pattern spells otherwise. */
  anomalies: Anomaly[];
}

/**
 * Finds each symbol of the state a partner in the pattern (prediction.md §5.5): the first of those most alike, if
 * alike by at least `threshold` (0 to 1). One of the pattern's symbols may serve several of the state's.
 */
export function matchFuzzily(
  pattern: readonly string[],
  state: readonly string[],
  threshold: number,
): FuzzyMatches {
  const matches: string[] = [];
  const anomalies: Anomaly[] = [];
  for (const observed of state) {
    const partner = findPartner(pattern, observed, 100 * threshold);
    if (partner === undefined) continue;
    matches.push(observed);
    if (partner.expected !== observed) anomalies.push({ observed, ...partner });
  }
  return { matches, anomalies };
}

function findPartner(
  pattern: readonly string[],
  observed: string,
  leastPercent: number,
): { expected: string; similarity: number } | undefined {
  let best: string | undefined;
  let bestPercent = -1;
  for (const expected of pattern) {
    const percent = symbolRatioPercent(observed, expected);
    if (percent < leastPercent || percent <= bestPercent) continue;
    best = expected;
    bestPercent = percent;
  }
  return best === undefined ? undefined : { expected: best, similarity: bestPercent / 100 };
}
