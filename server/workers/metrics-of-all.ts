/** Longer than the primary waits for the other workers. */
const PATIENCE_MS = 3_000;

/** A worker's view of the metrics of all: only the primary can ask everyone. */
export class MetricsOfAll {
  readonly #ask: (id: number) => void;
  readonly #waiting = new Map<number, (text: string) => void>();
  #lastId = 0;

  constructor(ask: (id: number) => void) {
    this.#ask = ask;
  }

  /** Rejects when the primary does not answer. */
  async text(): Promise<string> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(
      () => reject(new Error(`the primary did not answer within ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    );
    this.#waiting.set(id, resolve);
    this.#ask(id);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  receive(id: number, text: string): void {
    this.#waiting.get(id)?.(text);
  }
}
