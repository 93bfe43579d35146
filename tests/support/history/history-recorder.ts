import type {
  Interval,
  NoReply,
  ObserveReply,
  Outcome,
  RecordedCall,
  RecordedClear,
  RecordedObserve,
  RecordedStm,
  StmReply,
} from "./recorded-call.ts";

/** Records calls as they are made; a recorded interval holds the real one, so no call is accused wrongly. */
export class HistoryRecorder {
  readonly #calls: RecordedCall[] = [];
  readonly #classify: (error: unknown) => NoReply["outcome"];
  readonly #now: () => number;
  #unrecordedCount = 0;

  /** `classify` must answer "unknown" unless the error proves that the call had no effect. */
  constructor(classify: (error: unknown) => NoReply["outcome"], now = () => performance.now()) {
    this.#classify = classify;
    this.#now = now;
  }

  /** Throws while calls are in flight: the history would lack their effects. */
  get calls(): readonly RecordedCall[] {
    if (this.#unrecordedCount > 0) {
      throw new Error(`${this.#unrecordedCount} recorded calls have not ended`);
    }
    return [...this.#calls];
  }

  /** Does not reject when the call does; the outcome tells. So do the other two. */
  async observe(
    call: Pick<RecordedObserve, "session" | "observationId" | "event">,
    run: () => Promise<ObserveReply>,
  ): Promise<RecordedObserve> {
    return this.#keep({ ...call, kind: "observe", ...(await this.#settle(run)) });
  }

  async stm(session: string, run: () => Promise<StmReply>): Promise<RecordedStm> {
    return this.#keep({ session, kind: "stm", ...(await this.#settle(run)) });
  }

  async clear(session: string, run: () => Promise<unknown>): Promise<RecordedClear> {
    return this.#keep({ session, kind: "clear", ...(await this.#settle(run)) });
  }

  #keep<Call extends RecordedCall>(call: Call): Call {
    this.#unrecordedCount -= 1;
    this.#calls.push(call);
    return call;
  }

  async #settle<Reply>(run: () => Promise<Reply>): Promise<Interval & Outcome<Reply>> {
    this.#unrecordedCount += 1;
    const startedAt = this.#now();
    try {
      const reply = await run();
      return { startedAt, endedAt: this.#now(), outcome: "ok", reply };
    } catch (error) {
      return { startedAt, endedAt: this.#now(), outcome: this.#classify(error), error };
    }
  }
}
