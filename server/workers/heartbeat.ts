const BEAT_MS = 1_000;

export type HeartbeatParts = {
  /** Seconds, which are beats, that a worker may leave unanswered. */
  hangSeconds: number;
  ask(workerId: number): void;
  /** Told once for each worker that hangs. */
  onHung(workerId: number): void;
};

/**
 * Asks every worker once a second for a sign of life. One whose event loop stands still gives none,
 * though its process lives and its connections stay open.
 *
 * Counts questions, not time: when the primary itself was stopped for a while, the answers are there
 * to be heard before the second question.
 */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  readonly #unanswered = new Map<number, number>();

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  start(): void {
    setInterval(() => this.beat(), BEAT_MS).unref();
  }

  add(workerId: number): void {
    this.#unanswered.set(workerId, 0);
  }

  answered(workerId: number): void {
    if (this.#unanswered.has(workerId)) this.#unanswered.set(workerId, 0);
  }

  gone(workerId: number): void {
    this.#unanswered.delete(workerId);
  }

  beat(): void {
    for (const [workerId, unanswered] of this.#unanswered) {
      if (unanswered < this.#parts.hangSeconds) {
        this.#unanswered.set(workerId, unanswered + 1);
        this.#parts.ask(workerId);
      } else {
        this.#unanswered.delete(workerId);
        this.#parts.onHung(workerId);
      }
    }
  }
}
