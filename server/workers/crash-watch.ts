/** Workers that die this soon after their start die young, and so do those that never served. */
const YOUNG_MS = 10_000;
/** So many crashes of young workers in a row are a crash loop. */
const CRASHES_IN_A_LOOP = 5;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** The next one may well serve: it is kept waiting only so that a kernel short of memory gets its breath back. */
const LONGEST_DELAY_OF_KILLED_MS = 1_000;

/** Times in ms, on one clock. */
export type Death = {
  startedAt: number;
  diedAt: number;
  hasServed: boolean;
  /** By a SIGKILL from outside: somebody's, or the kernel's for want of memory. */
  isKilled: boolean;
};

export type Consequence = {
  restartInMs: number;
  /** When the first worker of a crash loop died; undefined where there is none. */
  loopSince: number | undefined;
};

/**
 * Decides how long to wait before a dead worker is replaced, and whether its successors would die like it. One for
 * each worker's place: many workers that die once, together, are no loop. Nor are workers that are killed from
 * outside, however often: that says nothing about whether the next one can serve. They are only replaced later.
 */
export class CrashWatch {
  #youngDeaths = 0;
  #youngCrashes = 0;
  #firstCrashAt: number | undefined;

  died({ startedAt, diedAt, hasServed, isKilled }: Death): Consequence {
    if (hasServed && diedAt - startedAt >= YOUNG_MS) {
      this.#youngDeaths = 0;
      this.#youngCrashes = 0;
      this.#firstCrashAt = undefined;
      return { restartInMs: FIRST_DELAY_MS, loopSince: undefined };
    }
    const longest = isKilled ? LONGEST_DELAY_OF_KILLED_MS : LONGEST_DELAY_MS;
    const restartInMs = Math.min(FIRST_DELAY_MS * 2 ** this.#youngDeaths, longest);
    this.#youngDeaths += 1;
    if (isKilled) return { restartInMs, loopSince: undefined };
    this.#youngCrashes += 1;
    this.#firstCrashAt ??= diedAt;
    const isLoop = this.#youngCrashes >= CRASHES_IN_A_LOOP;
    return { restartInMs, loopSince: isLoop ? this.#firstCrashAt : undefined };
  }
}
