import type { Call } from "./call.ts";

/**
 * The calls of one session in the order in which they were made; a call without session has a lane to
 * itself. Only one batch at a time holds calls of a lane, and calls to be retried go back to its front,
 * so nothing overtakes.
 */
export class Lane {
  readonly sessionId: string | undefined;
  /**
   * `empty`: without calls; `ready`: waits for a batch with room; `sent`: a batch holds its first calls;
   * `paused`: its first calls are to be retried in a while.
   */
  state: "empty" | "ready" | "sent" | "paused" = "empty";
  /** Cancels what would end the pause. */
  stopTimer: () => void = () => undefined;
  #waiting: Call[] = [];

  constructor(sessionId: string | undefined) {
    this.sessionId = sessionId;
  }

  push(call: Call): void {
    this.#waiting.push(call);
  }

  /** The call whose turn it is; forgets those before it that nobody waits for. */
  head(): Call | undefined {
    const [first] = this.#waiting;
    if (first?.isOver !== true) return first;
    const live = this.#waiting.findIndex((call) => !call.isOver);
    this.#waiting.splice(0, live < 0 ? this.#waiting.length : live);
    return this.#waiting[0];
  }

  /** Removes the head. */
  shift(): void {
    this.#waiting.shift();
  }

  /** Puts calls that a batch held, in their order, before all others. */
  putBack(calls: readonly Call[]): void {
    this.#waiting.unshift(...calls);
  }
}
