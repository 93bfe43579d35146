/** Bounds that client and server both enforce; the README's table is checked against this object. */
export const LIMITS = {
  requestBodyBytes: { max: 1_048_576, meaning: "bytes of a request body" },
  callsPerBatch: { max: 100, meaning: "calls in one batch" },
  urlCharacters: { max: 16_000, meaning: "characters of a URL" },
  headerBytes: { max: 32_768, meaning: "bytes of a request's line and headers" },
  symbolBytes: { max: 1_024, meaning: "UTF-8 bytes of a symbol or of an emotive's name" },
  symbolsPerObservation: { max: 4_096, meaning: "symbols in an observation" },
  observationsPerSequence: { max: 10_000, meaning: "observations in a sequence" },
  vectorsPerObservation: { max: 64, meaning: "vectors in an observation" },
  vectorNumbers: { max: 4_096, meaning: "numbers in a vector" },
  emotivesPerObservation: { max: 256, meaning: "emotives in an observation" },
  metadataBytes: { max: 16_384, meaning: "UTF-8 bytes of metadata as JSON" },
  metadataDepth: { max: 8, meaning: "levels of nesting in metadata" },
  patternSymbols: { max: 100_000, meaning: "symbols in a pattern" },
  patternCharacters: { max: 1_048_576, meaning: "characters of all symbols in a pattern" },
  learnedSymbols: {
    max: 250_000,
    meaning:
      "symbols that one call learns, each counted once more for every emotive learned with it",
  },
  nodeIdBytes: { max: 256, meaning: "UTF-8 bytes of a node id" },
  idCharacters: { max: 128, meaning: "characters of an id given by a caller (A-Za-z0-9._~:-)" },
  ttlSeconds: { max: 2_592_000, meaning: "seconds a session may live without use (at least 1)" },
  pageItems: { max: 1_000, meaning: "items in a page" },
  nextEvents: { max: 10_000, meaning: "events that an answer of `session.next` lists (`k`)" },
  nextHorizon: { max: 1_000, meaning: "events ahead that `session.next` is asked for (`horizon`)" },
} as const satisfies Record<string, { max: number; meaning: string }>;

export type LimitName = keyof typeof LIMITS;

const encoder = new TextEncoder();

/** UTF-8 bytes of `text`; counts only when its length leaves the answer to `max` open. */
export function exceedsBytes(text: string, max: number): boolean {
  if (text.length > max) return true;
  return text.length * 3 > max && encoder.encode(text).length > max;
}
