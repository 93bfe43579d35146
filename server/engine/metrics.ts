/**
 * The base figures of a prediction (prediction.md §6.4, §8.1 and §8.5). `matches` and `extras` count symbols with
 * repeats; a ratio over nothing is 0.
 */

/** Share of the pattern's symbols that were matched. */
export function evidenceOf(matches: number, patternLength: number): number {
  return matches / patternLength;
}

/** Share of the symbols of `present` that were matched; exceeds 1 only in fuzzy mode. */
export function confidenceOf(matches: number, presentLength: number): number {
  return presentLength === 0 ? 0 : matches / presentLength;
}

/** `(2m − x)/(2m + x)`, −1 to 1; x counts the state's symbols outside the matching blocks. */
export function signalToNoise(matches: number, extras: number): number {
  const total = 2 * matches + extras;
  return total === 0 ? 0 : (2 * matches - extras) / total;
}

/** Matching blocks less one: −1 when there is none. */
export function fragmentationOf(blocks: number): number {
  return blocks - 1;
}

/** What few fragments add to the potential: 1 for a single one, 0 when nothing matched. */
function cohesionOf(fragmentation: number): number {
  return fragmentation === -1 ? 0 : 1 / (fragmentation + 1);
}

/**
 * What candidates are pruned by, before the ensemble is known (prediction.md §8.1). `support` is evidence plus
 * confidence.
 */
export function preliminaryPotential(support: number, snr: number, fragmentation: number): number {
  return support * snr + cohesionOf(fragmentation);
}

export interface BaseFigures {
  evidence: number;
  confidence: number;
  snr: number;
  fragmentation: number;
}

/** The potential of a prediction in its ensemble (prediction.md §8.5). */
export function potentialOf(figures: BaseFigures, itfdfSimilarity: number): number {
  const { evidence, confidence, snr, fragmentation } = figures;
  return (evidence + confidence) * snr + itfdfSimilarity + cohesionOf(fragmentation);
}
