import { isKatoError } from "@kato-rpc/client";
import { CallRecorder } from "../history/call-recorder.ts";
import type { NoReply, Refusal } from "../history/recorded-call.ts";
import type { SessionCall } from "../history/session-call.ts";

/** What was called, by kind, and what failed: by what the service said of the session, else by code. */
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
    const call = await this.#recorder.record<unknown, Kept>(run, classify, (how) => {
      const kept = how.outcome === "ok" ? how : { ...how, error: summaryOf(how.error) };
      // What was asked and what came of it make the call; the SDK's types tell that they fit.
      return { ...request, ...kept } as unknown as Kept;
    });
    const { refusal, error } = call.outcome === "ok" ? {} : call;
    // Of the codes, INVALID_INPUT is then a fault of the load, or of a service that takes a repeat for another call.
    this.#count(call.kind, refusal ?? (error as ErrorSummary | undefined)?.code);
    this.#onCall(call);
    return call;
  }

  /** A create that failed: nobody knows of the session, if there is one. */
  countFailedCreate(error: unknown): void {
    this.#count("create", summaryOf(error).code);
  }

  #count(kind: string, error: string | undefined): void {
    const { counts } = this;
    counts.calls += 1;
    counts.byKind[kind] = (counts.byKind[kind] ?? 0) + 1;
    if (error === undefined) return;
    counts.errors[error] = (counts.errors[error] ?? 0) + 1;
  }
}

interface ErrorSummary {
  readonly code: string;
  readonly message: string;
}

/** Without its stack and its causes, of which a load would keep tens of thousands. */
function summaryOf(error: unknown): ErrorSummary {
  if (isKatoError(error)) return { code: error.code, message: error.message };
  return { code: "NOT_A_KATO_ERROR", message: String(error) };
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
