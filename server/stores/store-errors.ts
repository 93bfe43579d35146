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

export function invalidCursor(cause: unknown): ServiceError {
  return new ServiceError("INVALID_INPUT", "the cursor is none that this list has given", {
    cause,
  });
}

function printable(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
