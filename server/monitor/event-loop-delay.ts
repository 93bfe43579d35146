const INTERVAL_MS = 20;

/**
 * How late the event loop runs what is due. (The histogram of `node:perf_hooks` drops the first sample
 * after each reset, and with it one stall in a hundred; a percentile of it would show none at all,
 * since a stall, however long, is one sample of many.)
 */
export class EventLoopDelay {
  #longestMs = 0;
  #dueAt = 0;
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#dueAt = performance.now() + INTERVAL_MS;
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#longestMs = Math.max(this.#longestMs, now - this.#dueAt);
      this.#dueAt = now + INTERVAL_MS;
    }, INTERVAL_MS);
    this.#timer.unref();
  }

  /** The longest delay in ms since it was last taken. */
  take(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
