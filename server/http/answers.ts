/** What one call is answered: its part of the body, and what it asks of the response's head. */
export type Answer = { httpStatus: number; json: string; retryAfterMs: number | undefined };

/** Who waits for the answers of a request: told of them once; of a bug, also one of its own `answered`, once. */
export type Asker = { answered(answers: Answer[]): void; failed(bug: unknown): void };

/** The answers of one request as they come. */
export class Answers {
  readonly #answers: Answer[] = [];
  readonly #asker: Asker;
  #left: number;

  constructor(count: number, asker: Asker) {
    this.#asker = asker;
    this.#left = count;
  }

  put(index: number, answer: Answer): void {
    this.#answers[index] = answer;
    this.#left -= 1;
    if (this.#left === 0) this.#asker.answered(this.#answers);
  }

  fail(bug: unknown): void {
    if (this.#left < 0) return;
    this.#left = -1;
    this.#asker.failed(bug);
  }
}
