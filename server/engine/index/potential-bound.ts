import { preliminaryPotential, signalToNoise } from "../metrics.ts";

/**
 * The highest preliminary potential (prediction.md §8.1) that a pattern can have whose longest common subsequence with the state is known. Matching
 * blocks find m of at most `common` symbols, and at least one; then E = m/n, snr follows from m and the state's length, at
 * best there is one block, and C is 1 at most and m/n at least. Rounding keeps order, and the bound is made by the same
 * operations: it needs no room, and may be reached. Kept per pattern length.
 */
export class PotentialBound {
  readonly #stateLength: number;
  /** By pattern length, then by common length. */
  readonly #bounds: (Float64Array | undefined)[] = [];

  constructor(stateLength: number) {
    this.#stateLength = stateLength;
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
      const confidence = snr >= 0 ? 1 : evidence;
      highest = Math.max(highest, preliminaryPotential(evidence + confidence, snr, 0));
      bounds[m] = highest;
    }
    return bounds;
  }
}
