import { readFileSync } from "node:fs";

/** Counters of the kernel since its start, `name value` in each line; of the whole machine, also within a container. */
const COUNTERS = "/proc/vmstat";

/**
 * Tells a process that the kernel killed for want of memory from one that somebody killed: both die of SIGKILL, but the
 * kernel counts the former, before it sends the signal.
 */
export class OomKills {
  readonly #read: () => string;
  #seen: number | undefined;

  /** `read` gives the kernel's counters, and throws where there are none. */
  constructor(read: () => string = () => readFileSync(COUNTERS, "utf8")) {
    this.#read = read;
    this.#seen = this.#count();
  }

  /** Whether there may have been one, of any process of the machine, since this was last asked; true where nothing tells. */
  mayBeNew(): boolean {
    const count = this.#count();
    const isOld = count !== undefined && count === this.#seen;
    this.#seen = count;
    return !isOld;
  }

  #count(): number | undefined {
    try {
      const [, count] = /^oom_kill (\d+)$/m.exec(this.#read()) ?? [];
      return count === undefined ? undefined : Number(count);
    } catch {
      // Another system than Linux, or one that hides it.
      return undefined;
    }
  }
}
