import type { Call } from "../../server/sessions/call.ts";
import type { SessionState } from "../../server/stores/session-store.ts";

/** A session's state as a test needs it; a fresh one unless said otherwise. */
export function sessionState(fields: Partial<SessionState> = {}): SessionState {
  return {
    sessionId: "tag-suffix",
    nodeId: "node",
    createdAt: 0,
    ttlSeconds: 60,
    metadata: {},
    version: 0,
    config: {},
    time: 0,
    stmLength: 0,
    ...fields,
  };
}

/** A call that waits a minute and notes nothing. */
export function testCall(fields: Partial<Call> = {}): Call {
  return {
    requestId: "request",
    deadlineAt: Date.now() + 60_000,
    sessionId: undefined,
    nodeId: undefined,
    queued: () => undefined,
    trace: () => undefined,
    ...fields,
  };
}
