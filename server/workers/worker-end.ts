import { setTimeout as delay } from "node:timers/promises";
import type { OpenAnswers } from "../http/open-answers.ts";
import type { Serving } from "../http/serving.ts";
import type { Logger } from "../log.ts";

/** How often a worker that is ending looks whether its last request is answered. */
const POLL_MS = 10;
/** How long a worker that leaves waits for clients to use their connections once more, and so to be asked to close them. */
const LINGER_MS = 1_000;
/** For leaving the fleet and the store, when nothing is under way any more. */
const CLOSE_MS = 1_500;

export type WorkerEndParts = {
  shutdownMs: number;
  log: Logger;
  serving: Serving;
  answers: OpenAnswers;
  connections: { count(): number };
  /** Closes the connections on which no request is under way. */
  closeIdle(): void;
  /** Told when every call that came before the drain is answered; the primary replies with `leave`. */
  drained(): void;
  /** Leaves the fleet and closes the store. */
  close(): Promise<void>;
  exit(code: number): void;
};

/**
 * Ends a worker in order, in one of two ways that share their last steps. `leave`: go on answering
 * whoever is connected, asking each to close, then close the connections that stay idle. `drain`: answer the calls accepted
 * so far, refuse all others, and end when the primary sends no more connections.
 */
export class WorkerEnd {
  readonly #parts: WorkerEndParts;
  #until = Number.POSITIVE_INFINITY;
  #hasLeave = false;
  #isEnding = false;

  constructor(parts: WorkerEndParts) {
    this.#parts = parts;
  }

  drain(): void {
    if (this.#parts.serving.isDraining) return;
    this.#begin("draining");
  }

  /** No connection comes any more. */
  leave(): void {
    this.#hasLeave = true;
    if (this.#parts.serving.state === "serving") this.#begin("leaving");
  }

  #begin(state: "leaving" | "draining"): void {
    const { answers, log, exit, shutdownMs } = this.#parts;
    answers.change(state);
    this.#until = performance.now() + shutdownMs;
    if (this.#isEnding) return;
    this.#isEnding = true;
    void this.#finish().then(exit, (error: unknown) => {
      log.error({ err: error }, "the worker could not end in order");
      exit(1);
    });
  }

  /** Gives the exit code. */
  async #finish(): Promise<number> {
    const { log, serving, answers, connections, closeIdle, drained, close } = this.#parts;
    const isDone = () => serving.isDraining || connections.count() === 0;
    await this.#wait(isDone, performance.now() + LINGER_MS);
    await this.#wait(() => isDone() || closeIdle());
    await this.#wait(() => answers.accepted === 0);
    const cutOff = answers.accepted;
    if (!this.#hasLeave) drained();
    await this.#wait(() => this.#hasLeave);
    closeIdle();
    await this.#wait(() => answers.count === 0);
    if (cutOff > 0)
      log.error({ requests: cutOff }, "time to shut down is over: requests are cut off");
    await Promise.race([close(), delay(CLOSE_MS)]);
    return cutOff > 0 ? 1 : 0;
  }

  async #wait(condition: () => boolean | void, until = Number.POSITIVE_INFINITY): Promise<void> {
    while (condition() !== true && performance.now() < Math.min(until, this.#until)) {
      await delay(POLL_MS);
    }
  }
}
