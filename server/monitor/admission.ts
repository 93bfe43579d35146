import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { LoadStatus } from "@kato-rpc/shared/monitor.ts";

export type AdmissionRules = { limit: number; queueLimit: number };

export type Thresholds = { warning: number; critical: number };

/** 80 % and 95 % of the limit, in whole calls (monitoring.md §1); at least one, or an idle worker would warn. */
export function thresholdsOf(limit: number): Thresholds {
  return {
    warning: Math.max(1, Math.trunc(0.8 * limit)),
    critical: Math.max(1, Math.trunc(0.95 * limit)),
  };
}

export function statusOf(running: number, thresholds: Thresholds): LoadStatus {
  if (running >= thresholds.critical) return "critical";
  return running >= thresholds.warning ? "warning" : "healthy";
}

/** A place in the line of waiting calls. */
export type Waiting = {
  /** Resolves when the call may run. */
  admitted: Promise<void>;
  /** Leaves the line; false if the call runs already. */
  giveUp(): boolean;
};

/** How many calls that never wait may run beyond the limit. */
const CALLS_AHEAD = 200;

/** The part of the line that is left when requests are taken again. */
const FILLED_AGAIN = 7 / 8;

/** What takes longer is slow. */
const PATIENCE_MS = 20;

type Place = { admit: () => void; state: "waiting" | "running" | "gone" };

/** Lets at most `limit` calls run at once and `queueLimit` wait, first come first served. */
export class Admission {
  readonly #rules: AdmissionRules;
  readonly #thresholds: Thresholds;
  readonly #onStatus: (status: LoadStatus, running: number) => void;
  #line: Place[] = [];
  #status: LoadStatus = "healthy";
  #isShedding = false;
  running = 0;
  waiting = 0;
  /** The most calls that ran at once since start. */
  peak = 0;

  /** `onStatus` hears of every change between healthy, warning and critical. */
  constructor(rules: AdmissionRules, onStatus: (status: LoadStatus, running: number) => void) {
    this.#rules = rules;
    this.#thresholds = thresholdsOf(rules.limit);
    this.#onStatus = onStatus;
  }

  get #canRun(): boolean {
    return this.running < this.#rules.limit;
  }

  /** Whether a call that came now would be refused. */
  get isFull(): boolean {
    return !this.#canRun && this.waiting >= this.#rules.queueLimit;
  }

  /**
   * Whether whole requests are to be refused: from when the line is full until an eighth of it is free. Else each place
   * would be taken as it comes free, by one call of a batch that has to be read as a whole to refuse the others. Never
   * while a call could run at once: who counts as waiting then has stepped aside, and takes no turn.
   */
  get isShedding(): boolean {
    if (this.isFull) this.#isShedding = true;
    else if (this.#canRun || this.waiting <= this.#rules.queueLimit * FILLED_AGAIN) {
      this.#isShedding = false;
    }
    return this.#isShedding;
  }

  /**
   * undefined when the call may run at once; every call that ran must `leave`.
   *
   * @throws ServiceError OVERLOADED when the line is full
   */
  enter(): Waiting | undefined {
    if (this.#canRun) {
      this.#begin();
      return undefined;
    }
    if (this.isFull) throw this.lineFull();
    const { promise, resolve } = Promise.withResolvers<void>();
    const place: Place = { admit: resolve, state: "waiting" };
    this.#line.push(place);
    this.waiting += 1;
    return {
      admitted: promise,
      giveUp: () => {
        if (place.state !== "waiting") return false;
        place.state = "gone";
        this.waiting -= 1;
        return true;
      },
    };
  }

  /**
   * For calls that must get through under any load: they count, but never wait.
   *
   * @throws ServiceError OVERLOADED when too many of them run already
   */
  enterAhead(): void {
    if (this.running >= this.#rules.limit + CALLS_AHEAD)
      throw this.overloaded("too many calls of the monitor run already");
    this.#begin();
  }

  #begin(): void {
    this.running += 1;
    if (this.running > this.peak) this.peak = this.running;
    this.#noteStatus();
  }

  leave(): void {
    this.running -= 1;
    while (this.#canRun) {
      const next = this.#line.shift();
      if (next === undefined) break;
      if (next.state === "gone") continue;
      next.state = "running";
      this.waiting -= 1;
      this.#begin();
      next.admit();
    }
    this.#noteStatus();
  }

  /**
   * Waits for `promise`; when that takes long, as one of the waiting calls rather than of those that run, and runs on
   * as soon as it is there: calls that wait for one slow thing must not keep others from running.
   */
  async stepAside<T>(promise: Promise<T>): Promise<T> {
    let isAside = false;
    const timer = setTimeout(() => {
      if (this.waiting >= this.#rules.queueLimit) return;
      isAside = true;
      this.waiting += 1;
      this.leave();
    }, PATIENCE_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      if (isAside) {
        this.waiting -= 1;
        this.#begin();
      }
    }
  }

  /** What a call is told that finds no place in the line. */
  lineFull(): ServiceError {
    return this.overloaded("the queue of waiting calls is full");
  }

  overloaded(why: string): ServiceError {
    // Half a second at a full line, less when it is shorter: by then most of it has been served.
    const retryAfterMs =
      100 + Math.round((400 * this.waiting) / Math.max(1, this.#rules.queueLimit));
    return new ServiceError("OVERLOADED", `${why}: retry after ${retryAfterMs} ms`, {
      retryAfterMs,
    });
  }

  #noteStatus(): void {
    const status = statusOf(this.running, this.#thresholds);
    if (status === this.#status) return;
    this.#status = status;
    this.#onStatus(status, this.running);
  }
}
