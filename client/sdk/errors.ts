import type { KatoErrorShape } from "@kato-rpc/server/api/error-shape.ts";
import type { CallOutcome, ErrorCode, ErrorDetails } from "@kato-rpc/shared/errors.ts";
import { ERROR_CATALOGUE, outcomeOf } from "@kato-rpc/shared/errors.ts";
import { TRPCClientError } from "@trpc/client";
import type { KatoRouter } from "./router-types.ts";

/** Ways to fail that the server has no part in, with whether the same call may succeed later. */
export const CLIENT_ERRORS = {
  TIMEOUT: {
    retryable: true,
    meaning: "no answer in time; `outcome` says whether the call may have taken effect",
  },
  ABORTED: {
    retryable: false,
    meaning: "the caller gave up, or the client was closed; `outcome` says likewise",
  },
  CONNECTION_FAILED: {
    retryable: true,
    meaning: "no reply from the service; `outcome` says whether the call may have taken effect",
  },
  MISROUTED: { retryable: false, meaning: "the reply was computed for another call or session" },
  INVALID_REPLY: { retryable: false, meaning: "what answered does not speak this protocol" },
} as const satisfies Record<string, { retryable: boolean; meaning: string }>;

export type ClientErrorCode = keyof typeof CLIENT_ERRORS;
export type KatoErrorCode = ErrorCode | ClientErrorCode;

// Registered, so that the errors of two copies of this package know each other.
const BRAND = Symbol.for("kato-rpc.KatoError");

export type KatoErrorOptions = {
  /** The id under which the service logged the call. */
  requestId?: string | undefined;
  details?: ErrorDetails | undefined;
  cause?: unknown;
  /** The error as it came from the service. */
  shape?: KatoErrorShape | undefined;
  /** Left out: what the code says of one attempt. */
  outcome?: CallOutcome | undefined;
};

/**
 * Every way in which a call can fail. It extends tRPC's client error, so that what is written for
 * tRPC's clients knows it from `client.raw`.
 */
export class KatoError<
  Code extends KatoErrorCode = KatoErrorCode,
> extends TRPCClientError<KatoRouter> {
  /** One of the service's codes, or of the client's own. */
  readonly code: Code;
  /** Names the call in the service's log; undefined where no request was sent. */
  readonly requestId: string | undefined;
  /** Whether the same call may succeed later; where the client retries, its retries are used up. */
  readonly retryable: boolean;
  /**
   * `no-effect`: the call was refused or never reached the service, and changed nothing. `unknown`: an
   * attempt at it was cut off or its reply was lost, so it may have taken effect, or may still. Repeated
   * with the same `observationId` or `requestId` it does so once.
   */
  readonly outcome: CallOutcome;
  /** What the failure carries: `actualTime`, `limit` and `max`, `issues`, `retryAfterMs`, … */
  readonly details: ErrorDetails;

  constructor(code: Code, message: string, options: KatoErrorOptions = {}) {
    const { requestId, details = {}, cause, shape, outcome } = options;
    super(message, {
      ...(shape === undefined ? {} : { result: { error: shape } }),
      // tRPC's type asks for an Error, but whatever was thrown is handed on.
      ...(cause === undefined ? {} : { cause: cause as Error }),
    });
    // The parent sets its own prototype and name.
    Object.setPrototypeOf(this, new.target.prototype);
    this.name = "KatoError";
    Object.defineProperty(this, BRAND, { value: true });
    // What the fields below say in short would be printed three times over.
    for (const name of ["shape", "data", "meta"]) {
      Object.defineProperty(this, name, { enumerable: false });
    }
    this.code = code;
    this.requestId = requestId;
    this.retryable = isRetryable(code);
    this.outcome = outcome ?? (isClientErrorCode(code) ? "unknown" : outcomeOf(code));
    this.details = details;
  }
}

/** The same error with another outcome: one error may be that of many calls, of which each had its own attempts. */
export function withOutcome(error: KatoError, outcome: CallOutcome): KatoError {
  if (error.outcome === outcome) return error;
  const { code, message, requestId, details, cause } = error;
  return new KatoError(code, message, {
    requestId,
    details,
    cause,
    shape: error.shape ?? undefined,
    outcome,
  });
}

function isRetryable(code: KatoErrorCode): boolean {
  return (isClientErrorCode(code) ? CLIENT_ERRORS[code] : ERROR_CATALOGUE[code]).retryable;
}

function isClientErrorCode(code: KatoErrorCode): code is ClientErrorCode {
  return Object.hasOwn(CLIENT_ERRORS, code);
}

/**
 * Whether `error` is a KatoError and, where a code is given, one with that code. Also knows the
 * errors of another copy of this package, for which `instanceof` fails.
 *
 * @example if (isKatoError(error, "TIME_CONFLICT")) retryAt(error.details.actualTime);
 */
export function isKatoError<Code extends KatoErrorCode = KatoErrorCode>(
  error: unknown,
  code?: Code,
): error is KatoError<Code> {
  if (typeof error !== "object" || error === null || !(BRAND in error)) return false;
  return code === undefined || (error as unknown as KatoError).code === code;
}
