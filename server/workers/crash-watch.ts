/** Workers that die this soon after their start count as crashing from the start. */
const YOUNG_MS = 10_000;
/** So many of those in a row are a crash loop. */
const CRASHES_IN_A_LOOP = 5;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/**
 * Decides how long to wait before a dead worker is replaced, and when replacing is pointless. One for
 * each worker's place: many workers that die once, together, are no loop. Nor are workers that somebody
 * kills, however often: that says nothing about whether the next one can serve.
 */
export class CrashWatch {
  #youngCrashes = 0;

  /** Of its own accord, by the kernel for want of memory, or as it hung. Delay in ms before the next start, or "loop". */
  crashed(aliveMs: number): number | "loop" {
    if (aliveMs >= YOUNG_MS) {
      this.#youngCrashes = 0;
      return FIRST_DELAY_MS;
    }
    this.#youngCrashes += 1;
    if (this.#youngCrashes >= CRASHES_IN_A_LOOP) return "loop";
    return Math.min(FIRST_DELAY_MS * 2 ** (this.#youngCrashes - 1), LONGEST_DELAY_MS);
  }

  /** By somebody's SIGKILL. Delay in ms before the next start. */
  killed(): number {
    return FIRST_DELAY_MS;
  }
}
