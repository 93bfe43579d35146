import { preliminaryPotential, signalToNoise } from "../metrics.ts";

/**
 * The highest preliminary potential (prediction.md §8.1) that a pattern can have whose longest common subsequence with the state is known. Matching
 * blocks find m of at most `common` symbols, and at least one; then E = m/n, snr follows from m and the state's length, at
 * best there is one block, and C is 1 at most and m/n at least. Rounding keeps order, and the bound is made by the same
 * operations: it needs no room, and may be reached. Kept per pattern length.
 *
 * Where all events are of one symbol and one is matched, C is 1: it is the first that the state has, so that `present` does
 * not begin with the event before. That is the potential itself of a pattern that has one symbol in common.
 */
export class PotentialBound {
  readonly #stateLength: number;
  /** Whether the bound for a common length of 1 is the potential. */
  readonly isExactForOne: boolean;
  /** By pattern length, then by common length. */
  readonly #bounds: (Float64Array | undefined)[] = [];

  constructor(stateLength: number, longestEvent: number) {
    this.#stateLength = stateLength;
    this.isExactForOne = longestEvent === 1;
  }

  of(common: number, patternLength: number): number {
    const bounds = (this.#bounds[patternLength] ??= this.#compute(patternLength));
    return bounds[common] ?? Infinity;
  }

  #compute(patternLength: number): Float64Array {
    const most = Math.min(patternLength, this.#stateLength);
    const bounds = new Float64Array(most + 1);
    let highest = -Infinity;
    for (let m = 1; m <= most; m += 1) {
      const evidence = m / patternLength;
      const snr = signalToNoise(m, this.#stateLength - m);
      const isSure = m === 1 && this.isExactForOne;
      const confidence = snr >= 0 || isSure ? 1 : evidence;
      highest = Math.max(highest, preliminaryPotential(evidence + confidence, snr, 0));
      bounds[m] = highest;
    }
    return bounds;
  }
}
