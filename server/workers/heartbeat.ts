const BEAT_MS = 1_000;

export type HeartbeatParts = {
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
  readonly #watched = new Map<number, { patience: number; unanswered: number }>();

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  start(): void {
    setInterval(() => this.beat(), BEAT_MS).unref();
  }

  /** `patience`: seconds, which are beats, that it may leave unanswered; for one that is added again it counts anew. */
  add(workerId: number, patience: number): void {
    this.#watched.set(workerId, { patience, unanswered: 0 });
  }

  answered(workerId: number): void {
    const watched = this.#watched.get(workerId);
    if (watched !== undefined) watched.unanswered = 0;
  }

  gone(workerId: number): void {
    this.#watched.delete(workerId);
  }

  beat(): void {
    for (const [workerId, watched] of this.#watched) {
      if (watched.unanswered < watched.patience) {
        watched.unanswered += 1;
        this.#parts.ask(workerId);
      } else {
        this.#watched.delete(workerId);
        this.#parts.onHung(workerId);
      }
    }
  }
}
