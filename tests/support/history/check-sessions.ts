import type { Finding } from "./finding.ts";
import type { SessionCall } from "./session-call.ts";
import { newSession } from "./session-model.ts";
import { findOperations } from "./session-operations.ts";
import { SessionSearch } from "./session-search.ts";

export interface SessionCheckOptions {
  /** Number of newest events that a session keeps; 1000 unless given. */
  readonly stmLimit?: number;
}

/**
 * Checks each session by itself: every change once, in an order that calls one after the other keep, times without a
 * gap, reads of the state at a moment while they were under way, nothing after a delete. At most one finding of order
 * for each session, the first after what can be explained.
 */
export function checkSessions(
  calls: readonly SessionCall[],
  options: SessionCheckOptions = {},
): Finding[] {
  const sessions = Map.groupBy(calls, ({ session }) => session);
  return [...sessions.values()].flatMap((ofOne) => checkSession(ofOne, options));
}

function checkSession(
  calls: readonly SessionCall[],
  { stmLimit = 1000 }: SessionCheckOptions,
): Finding[] {
  const create = calls.find((call) => call.kind === "create");
  if (create === undefined) throw new Error(`session ${calls[0]?.session} was never created`);
  const { operations, findings } = findOperations(calls, stmLimit);
  if (findings.length > 0) return findings;
  const search = new SessionSearch(operations);
  const contradiction = search.findContradiction(newSession(create.config));
  if (contradiction === undefined) return [];
  const { operation, misfit } = contradiction;
  return [{ subject: create.session, ...misfit, calls: operation.calls }];
}
