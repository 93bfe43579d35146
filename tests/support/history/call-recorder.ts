import type { Interval, NoReply, Outcome } from "./recorded-call.ts";

/** What an error tells of its call. `outcome` is "unknown" unless the error proves that the call had no effect. */
export type Classify = (error: unknown) => Omit<NoReply, "error">;

/** Keeps calls of any kind as they are made; a recorded interval holds the real one, so no call is accused wrongly. */
export class CallRecorder<Call extends Interval> {
  readonly #calls: Call[] = [];
  readonly #now: () => number;
  #unrecordedCount = 0;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Throws while calls are in flight: the history would lack their effects. */
  get calls(): readonly Call[] {
    if (this.#unrecordedCount > 0) {
      throw new Error(`${this.#unrecordedCount} recorded calls have not ended`);
    }
    return [...this.#calls];
  }

  /** Does not reject when `run` does; the outcome tells. `complete` adds what was asked to how it went. */
  async record<Reply, Kept extends Call>(
    run: () => Promise<Reply>,
    classify: Classify,
    complete: (how: Interval & Outcome<Reply>) => Kept,
  ): Promise<Kept> {
    this.#unrecordedCount += 1;
    const call = complete(await this.#settle(run, classify));
    this.#unrecordedCount -= 1;
    this.#calls.push(call);
    return call;
  }

  async #settle<Reply>(
    run: () => Promise<Reply>,
    classify: Classify,
  ): Promise<Interval & Outcome<Reply>> {
    const startedAt = this.#now();
    try {
      const reply = await run();
      return { startedAt, endedAt: this.#now(), outcome: "ok", reply };
    } catch (error) {
      return { startedAt, endedAt: this.#now(), ...classify(error), error };
    }
  }
}
