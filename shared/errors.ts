/**
 * Every way a call can fail: one cause, one code. `http` is the status of an unbatched reply,
 * `retryable` whether the same call may succeed later, `advice` the README's column "what to do".
 */
export const ERROR_CATALOGUE = {
  SESSION_NOT_FOUND: {
    http: 404,
    retryable: false,
    meaning: "no session ever had this id, or it was deleted",
    advice: "check the id, or create a session",
  },
  SESSION_EXPIRED: {
    http: 410,
    retryable: false,
    meaning: "the session existed and expired (remembered for a day)",
    advice: "create a new session",
  },
  PATTERN_NOT_FOUND: {
    http: 404,
    retryable: false,
    meaning: "the node has no pattern of this name",
    advice: "check name and node",
  },
  NODE_NOT_FOUND: {
    http: 404,
    retryable: false,
    meaning: "no session was ever created on this node",
    advice: "check the node id",
  },
  PROCEDURE_NOT_FOUND: {
    http: 404,
    retryable: false,
    meaning: "no such procedure or path; the message names the nearest",
    advice: "correct the name",
  },
  INVALID_INPUT: {
    http: 400,
    retryable: false,
    meaning:
      "the input breaks a rule (`issues` lists path, rule and value), or its id was given before to a call with other content (`digests`)",
    advice: "correct the input",
  },
  VECTOR_DIMENSION_MISMATCH: {
    http: 400,
    retryable: false,
    meaning: "vectors of unequal dimension; carries `expected` and `actual`",
    advice: "send vectors of one dimension",
  },
  TIME_CONFLICT: {
    http: 409,
    retryable: false,
    meaning: "`expectedTime` is not the session's time, which is in `actualTime`; nothing written",
    advice: "decide with the actual time",
  },
  LIMIT_EXCEEDED: {
    http: 413,
    retryable: false,
    meaning: "something is over its limit: `limit` says which, `max` how much",
    advice: "send less",
  },
  OVERLOADED: {
    http: 503,
    retryable: true,
    meaning:
      "the queue of waiting calls is full, the call waited too long in it, or a prediction was not done in time",
    advice: "retry after `retryAfterMs`",
  },
  STORE_UNAVAILABLE: {
    http: 503,
    retryable: true,
    meaning:
      "the store did not answer within the deadline; whether the call took effect is unknown",
    advice: "retry with the same id",
  },
  SHUTTING_DOWN: {
    http: 503,
    retryable: true,
    meaning: "this worker is draining",
    advice: "retry; another worker takes the call",
  },
  UNAUTHORIZED: {
    http: 401,
    retryable: false,
    meaning: "credentials are missing or wrong",
    advice: "send valid credentials",
  },
  FORBIDDEN: {
    http: 403,
    retryable: false,
    meaning: "the credentials do not allow this call",
    advice: "ask for access",
  },
  INTERNAL: {
    http: 500,
    retryable: false,
    meaning: "a bug; the log has the details under the request id",
    advice: "report the request id",
  },
} as const satisfies Record<
  string,
  { http: number; retryable: boolean; meaning: string; advice: string }
>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_CATALOGUE, value);
}

/**
 * What a failure says about the call's effect. `no-effect`: it was refused, and changed nothing.
 * `unknown`: it may have taken effect, or may still; repeated with the same id, it does so once.
 */
export type CallOutcome = "no-effect" | "unknown";

const UNKNOWN_OUTCOME: ReadonlySet<ErrorCode> = new Set(["STORE_UNAVAILABLE", "INTERNAL"]);

export function outcomeOf(code: ErrorCode): CallOutcome {
  return UNKNOWN_OUTCOME.has(code) ? "unknown" : "no-effect";
}

/** One broken rule of an input; `value` is printable and short. */
export type InputIssue = { path: string; rule: string; message: string; value: string };

/** What a failure carries besides its message; these fields stand flat in `error.data` on the wire. */
export type ErrorDetails = {
  sessionId?: string;
  nodeId?: string;
  issues?: InputIssue[];
  reason?: string;
  expected?: number;
  actual?: number;
  actualTime?: number;
  limit?: string;
  max?: number;
  retryAfterMs?: number;
  nearest?: string[];
  /** Of what an id was first given for, and of what it is given for now. */
  digests?: { remembered: string; given: string };
};

/** The only error that domain and stores throw on purpose; anything else is INTERNAL on the wire. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: ErrorDetails & { cause?: unknown } = {}) {
    const { cause, ...details } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}
