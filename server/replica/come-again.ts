import { ServiceError } from "@kato-rpc/shared/errors.ts";

/** When to call again whose answer was not ready in time. */
const RETRY_AFTER_MS = 1_000;

/** OVERLOADED: the same call may well succeed a little later. */
export function comeAgain(message: string): ServiceError {
  return new ServiceError("OVERLOADED", message, { retryAfterMs: RETRY_AFTER_MS });
}
