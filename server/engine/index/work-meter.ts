/** Steps between two calls of an interrupt: some hundred microseconds. */
const STEPS_PER_INTERRUPT = 65_536;
/** What a pattern costs whatever its length, so that interrupts come every few hundred short ones. */
const STEPS_PER_PATTERN = 256;

/**
 * Calls an interrupt at the first work, and whenever so much was done since the last call. Work is counted in steps of the
 * innermost loops, about a nanosecond each, by those who do it; whoever may do far more than one walk along a pattern
 * and the state must tell of it in between.
 */
export class WorkMeter {
  #left = 0;
  readonly #interrupt: () => void;

  constructor(interrupt: (() => void) | undefined) {
    this.#interrupt = interrupt ?? (() => {});
  }

  /** Throws what the interrupt throws. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) this.#pause();
  }

  /** A pattern is looked at, by walks along so many symbols. */
  visit(symbols: number): void {
    this.spend(STEPS_PER_PATTERN + symbols);
  }

  #pause(): void {
    this.#left = STEPS_PER_INTERRUPT;
    this.#interrupt();
  }
}
