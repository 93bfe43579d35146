/** How often passed deadlines are looked for; a deadline is kept to within this. */
const TICK_MS = 20;

/** One that somebody waits for. */
export class Deadline {
  readonly at: number;
  #expire: (() => void) | undefined;

  constructor(at: number, expire: () => void) {
    this.at = at;
    this.#expire = expire;
  }

  get isOver(): boolean {
    return this.#expire === undefined;
  }

  /** Whether it was in time; from then on it will not expire. */
  meet(): boolean {
    const isInTime = this.#expire !== undefined;
    this.#expire = undefined;
    return isInTime;
  }

  expire(): void {
    const expire = this.#expire;
    this.#expire = undefined;
    expire?.();
  }
}

/**
 * Deadlines of one common length, kept in the order in which they pass: one timer serves them all,
 * where a timer for each call would cost more than many a call. Holds an entry until its time or,
 * when everything before it is done, until the next tick.
 */
export class Deadlines {
  readonly #lengthMs: number;
  readonly #now: () => number;
  readonly #entries: Deadline[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `now` must never step back: use a monotonic clock. */
  constructor(lengthMs: number, now: () => number = () => performance.now()) {
    this.#lengthMs = lengthMs;
    this.#now = now;
  }

  /** Settles as `promise` does, or rejects with what `late` makes once the time has passed. */
  bound<T>(promise: Promise<T>, late: () => unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadline = this.add(() => reject(late()));
      promise.then(
        (value) => {
          if (deadline.meet()) resolve(value);
        },
        (error: unknown) => {
          if (deadline.meet()) reject(error);
        },
      );
    });
  }

  /** Calls `expire` once the time has passed, unless it was met. */
  add(expire: () => void): Deadline {
    const entry = new Deadline(this.#now() + this.#lengthMs, expire);
    this.#entries.push(entry);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tick(), TICK_MS);
      this.#timer.unref();
    }
    return entry;
  }

  #tick(): void {
    const now = this.#now();
    const entries = this.#entries;
    let passed = 0;
    for (const entry of entries) {
      if (!entry.isOver && entry.at > now) break;
      passed += 1;
      entry.expire();
    }
    // Kept until there are many, those that are over would outlive the next collection of garbage.
    entries.splice(0, passed);
    if (entries.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
