import { isKatoError } from "@kato-rpc/client";
import { CallRecorder } from "../history/call-recorder.ts";
import type { NoReply, Refusal } from "../history/recorded-call.ts";
import type { SessionCall } from "../history/session-call.ts";

/** What was called, by kind, and what failed, by code. */
export interface LoadCounts {
  calls: number;
  readonly byKind: Record<string, number>;
  readonly errors: Record<string, number>;
}

/** Records the calls of a load, counts them, and shows each once it has ended. */
export class LoadRecorder {
  readonly counts: LoadCounts = { calls: 0, byKind: {}, errors: {} };
  readonly #recorder = new CallRecorder<SessionCall>();
  readonly #onCall: (call: SessionCall) => void;

  constructor(onCall: (call: SessionCall) => void = () => undefined) {
    this.#onCall = onCall;
  }

  get calls(): readonly SessionCall[] {
    return this.#recorder.calls;
  }

  async record<Kept extends SessionCall>(
    run: () => Promise<unknown>,
    request: object,
  ): Promise<Kept> {
    const call = await this.#recorder.record<unknown, Kept>(
      run,
      classify,
      // What was asked and what came of it make the call; the SDK's types tell that they fit.
      (how) => ({ ...request, ...how }) as unknown as Kept,
    );
    this.#count(call.kind, call.outcome === "ok" ? undefined : call.error);
    this.#onCall(call);
    return call;
  }

  /** A create that failed: nobody knows of the session, if there is one. */
  countFailedCreate(error: unknown): void {
    this.#count("create", error);
  }

  #count(kind: string, error: unknown): void {
    const { counts } = this;
    counts.calls += 1;
    counts.byKind[kind] = (counts.byKind[kind] ?? 0) + 1;
    if (error === undefined) return;
    const code = isKatoError(error) ? error.code : "NOT_A_KATO_ERROR";
    counts.errors[code] = (counts.errors[code] ?? 0) + 1;
  }
}

/** The SDK says what it cannot rule out; where that is too little, the history does not fit. */
function classify(error: unknown): Omit<NoReply, "error"> {
  const hadNoEffect = isKatoError(error) && error.outcome === "no-effect";
  return { outcome: hadNoEffect ? "failed" : "unknown", refusal: refusalOf(error) };
}

function refusalOf(error: unknown): Refusal | undefined {
  if (isKatoError(error, "SESSION_NOT_FOUND")) return "SESSION_NOT_FOUND";
  const isEmpty = isKatoError(error, "INVALID_INPUT") && error.details["reason"] === "EMPTY_STM";
  return isEmpty ? "EMPTY_STM" : undefined;
}
