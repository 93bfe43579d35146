import { CallRecorder } from "./call-recorder.ts";
import type {
  NoReply,
  ObserveReply,
  RecordedCall,
  RecordedClear,
  RecordedObserve,
  RecordedStm,
  StmReply,
} from "./recorded-call.ts";

/** Records observations, reads and clears where every attempt is a call of its own. */
export class HistoryRecorder {
  readonly #recorder: CallRecorder<RecordedCall>;
  readonly #classify: (error: unknown) => Omit<NoReply, "error">;

  /** `classify` must answer "unknown" unless the error proves that the call had no effect. */
  constructor(classify: (error: unknown) => NoReply["outcome"], now = () => performance.now()) {
    this.#recorder = new CallRecorder(now);
    this.#classify = (error) => ({ outcome: classify(error) });
  }

  /** Throws while calls are in flight: the history would lack their effects. */
  get calls(): readonly RecordedCall[] {
    return this.#recorder.calls;
  }

  /** Does not reject when the call does; the outcome tells. So do the other two. */
  async observe(
    call: Pick<RecordedObserve, "session" | "observationId" | "event">,
    run: () => Promise<ObserveReply>,
  ): Promise<RecordedObserve> {
    return this.#recorder.record(run, this.#classify, (how) => ({
      ...call,
      kind: "observe",
      ...how,
    }));
  }

  async stm(session: string, run: () => Promise<StmReply>): Promise<RecordedStm> {
    return this.#recorder.record(run, this.#classify, (how) => ({ session, kind: "stm", ...how }));
  }

  async clear(session: string, run: () => Promise<unknown>): Promise<RecordedClear> {
    return this.#recorder.record(run, this.#classify, (how) => ({
      session,
      kind: "clear",
      ...how,
    }));
  }
}
