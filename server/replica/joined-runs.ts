/**
 * Runs `work` for all that ask for it, at most one at a time. Whoever asks while it runs is not served by that run, which
 * may have looked before, but by the next, which all that wait share.
 */
export class JoinedRuns {
  readonly #work: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  get isBusy(): boolean {
    return this.#running !== undefined || this.#next !== undefined;
  }

  /** Settles as a run does that begins now or later. */
  run(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#start();
    this.#next = ignoreFailure(this.#running).then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    for (;;) {
      const last = this.#next ?? this.#running;
      if (last === undefined) return;
      await ignoreFailure(last);
    }
  }

  #start(): Promise<void> {
    this.#running = this.#work().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}

function ignoreFailure(promise: Promise<void>): Promise<void> {
  return promise.catch(() => undefined);
}
