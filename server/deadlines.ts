/** How often passed deadlines are looked for; a deadline is kept to within this. */
const TICK_MS = 20;

type Entry = { at: number; expire: (() => void) | undefined };

/**
 * Deadlines of one common length, kept in the order in which they pass: one timer serves them all,
 * where a timer for each call would cost more than many a call. Holds an entry until its time or,
 * when everything before it is done, until the next tick.
 */
export class Deadlines {
  readonly #lengthMs: number;
  readonly #now: () => number;
  #entries: Entry[] = [];
  #first = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `now` must never step back: use a monotonic clock. */
  constructor(lengthMs: number, now: () => number = () => performance.now()) {
    this.#lengthMs = lengthMs;
    this.#now = now;
  }

  /** Settles as `promise` does, or rejects with what `late` makes once the time has passed. */
  bound<T>(promise: Promise<T>, late: () => unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry = this.#add(() => reject(late()));
      promise.then(
        (value) => {
          entry.expire = undefined;
          resolve(value);
        },
        (error: unknown) => {
          entry.expire = undefined;
          reject(error);
        },
      );
    });
  }

  #add(expire: () => void): Entry {
    const entry: Entry = { at: this.#now() + this.#lengthMs, expire };
    this.#entries.push(entry);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tick(), TICK_MS);
      this.#timer.unref();
    }
    return entry;
  }

  #tick(): void {
    const now = this.#now();
    while (this.#first < this.#entries.length) {
      const entry = this.#entries[this.#first] as Entry;
      if (entry.expire !== undefined && entry.at > now) break;
      this.#first += 1;
      entry.expire?.();
    }
    if (this.#first === this.#entries.length) {
      this.#entries = [];
      this.#first = 0;
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else if (this.#first > 1_024) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}
