import type { Moment } from "../stores/session-store.ts";

/** How long to rest when there was nothing left to clear away. */
const REST_MS = 1_000;

/** Clears away a little of what has expired; gives whether there may be more. */
export type Tidy = (nowMs: Moment) => Promise<boolean>;

/** Has the store clear away what has expired, step by step between the calls, also where nobody creates sessions. */
export class Tidying {
  readonly #tidy: Tidy;
  readonly #moment: () => Moment;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #isStopped = false;

  constructor(tidy: Tidy, moment: () => Moment) {
    this.#tidy = tidy;
    this.#moment = moment;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#turn ??= this.#takeTurn().finally(() => {
        this.#turn = undefined;
      });
    }, REST_MS);
    this.#timer.unref();
  }

  /** Waits for the step under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#turn;
  }

  async #takeTurn(): Promise<void> {
    try {
      while (!this.#isStopped && (await this.#tidy(this.#moment()))) {
        // The store lets other calls in between.
      }
    } catch {
      // It cannot be used at the moment: whoever calls hears of it.
    }
  }
}
