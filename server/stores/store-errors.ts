import { ServiceError } from "@kato-rpc/shared/errors.ts";

export function sessionNotFound(sessionId: string): ServiceError {
  return new ServiceError(
    "SESSION_NOT_FOUND",
    `no session has the id ${printable(sessionId)}: check it, or create a session`,
    { sessionId },
  );
}

export function sessionExpired(sessionId: string): ServiceError {
  return new ServiceError(
    "SESSION_EXPIRED",
    `session ${printable(sessionId)} has expired: create a new one (a longer ttlSeconds keeps it)`,
    { sessionId },
  );
}

export function patternNotFound(hash: string): ServiceError {
  return new ServiceError("PATTERN_NOT_FOUND", `the node has no pattern ${hash}`);
}

/** Numbers that the node's vectors have, and those of one that was to join them. */
export function vectorDimensionMismatch(expected: number, actual: number): ServiceError {
  const message = `a vector that is to be learned has ${actual} numbers, those it is to stand beside have ${expected}: session.clearStm lets go of vectors that wait for a learn`;
  return new ServiceError("VECTOR_DIMENSION_MISMATCH", message, { expected, actual });
}

export function invalidCursor(cause: unknown): ServiceError {
  return new ServiceError("INVALID_INPUT", "the cursor is none that this list has given", {
    cause,
  });
}

function printable(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
