import type { SessionConfig } from "./session-config.ts";

/** For people: what values each setting of a session takes, and what it does. The README's table is made of it. */
export const SESSION_SETTING_MEANINGS: Record<
  keyof SessionConfig,
  { values: string; meaning: string }
> = {
  maxPatternLength: {
    values: "0, 1, …",
    meaning: "events after which `observe` learns short-term memory by itself; 0 is never",
  },
  stmMode: {
    values: "`CLEAR`, `ROLLING`",
    meaning:
      "what automatic learning leaves in short-term memory: nothing, or the last `maxPatternLength` − 1 events",
  },
  persistence: { values: "1 to 100", meaning: "newest maps of emotives that a pattern keeps" },
  recallThreshold: {
    values: "0 to 1",
    meaning: "least `similarity` of a pattern that is predicted from",
  },
  maxPredictions: { values: "1 to 10,000", meaning: "predictions in a reply at most" },
  useTokenMatching: {
    values: "`true`, `false`",
    meaning: "whether `similarity` compares symbols, or the characters of all of them joined",
  },
  sortSymbols: {
    values: "`true`, `false`",
    meaning: "whether the strings of an event are sorted by code point, or kept as given",
  },
  processPredictions: {
    values: "`true`, `false`",
    meaning: "whether `observe` and `cognition` predict",
  },
  fuzzyTokenThreshold: {
    values: "0 to 1",
    meaning:
      "how alike an observed symbol and one of the pattern must be to match in another spelling; unset or 0 is exactly",
  },
  rankSortAlgo: {
    values: "a figure of a prediction",
    meaning: "figure by which predictions are ranked, highest first",
  },
  affinityEmotive: {
    values: "an emotive",
    meaning:
      "weights the figures by what symbols have gathered of this emotive; unset is not at all",
  },
  filterPipeline: {
    values: "list of `minhash`, `length`, `jaccard`, `bloom`, `rapidfuzz`",
    meaning: "stages that patterns must pass before they are compared, in this order",
  },
  lengthMinRatio: {
    values: "0 to 1",
    meaning: "stage `length`: least length of a pattern, as a multiple of the observed symbols",
  },
  lengthMaxRatio: { values: "1 and more", meaning: "stage `length`: greatest length, likewise" },
  jaccardThreshold: {
    values: "0 to 1",
    meaning: "stage `jaccard`: least share of the distinct symbols that both have",
  },
  jaccardMinOverlap: {
    values: "1, 2, …",
    meaning: "stage `jaccard`: least number of distinct symbols that both have",
  },
  minhashThreshold: {
    values: "0 to 1",
    meaning: "stage `minhash`: least share, likewise, computed exactly",
  },
};
