import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { Deadlines } from "../deadlines.ts";

const LONGEST_MS = 1_000;

/**
 * Asks the store for what health and readiness need to know, and gives up long before a call would:
 * whoever asks has deadlines of his own, and silence is an answer. A health report asks three times,
 * so each gets less than a third of a call's time.
 */
export class StoreProbe {
  readonly timeoutMs: number;
  readonly #deadlines: Deadlines;

  constructor(callDeadlineMs: number) {
    this.timeoutMs = Math.min(LONGEST_MS, callDeadlineMs / 4);
    this.#deadlines = new Deadlines(this.timeoutMs);
  }

  /** As `answer`; rejects with STORE_UNAVAILABLE when that takes too long. */
  ask<T>(answer: Promise<T>): Promise<T> {
    return this.#deadlines.bound(
      answer,
      () =>
        new ServiceError(
          "STORE_UNAVAILABLE",
          `the store did not answer within ${this.timeoutMs} ms`,
        ),
    );
  }
}
