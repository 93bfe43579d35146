import { sessionExpired, sessionNotFound } from "../store-errors.ts";
import type { Description } from "./session-description.ts";
import { SEEN_AT } from "./session-description.ts";

/**
 * What a script says of one session, unless that is not there.
 *
 * @throws ServiceError SESSION_NOT_FOUND, SESSION_EXPIRED
 */
export function requireLive(sessionId: string, reply: unknown): unknown[] {
  const [status] = reply as unknown[];
  if (status === "missing") throw sessionNotFound(sessionId);
  if (status === "expired") throw sessionExpired(sessionId);
  return reply as unknown[];
}

/** Refusals acknowledge nothing, and of a session as it is only what was answered to calls made before. */
export function tellsWhatWasDone(reply: unknown): boolean {
  const [status, description] = reply as [string, unknown];
  if (status === "current" || status === "stale") {
    return (description as Description)[SEEN_AT].length > 0;
  }
  return status === "committed" || status === "extended" || status === "repeated";
}
