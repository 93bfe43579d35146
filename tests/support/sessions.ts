import type { Call } from "../../server/sessions/call.ts";
import type { Observation } from "../../server/sessions/observe.ts";
import { observationOf } from "../../server/sessions/observe.ts";
import type { Base } from "../../server/sessions/session-change.ts";
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
    mark: "",
    config: {},
    time: 0,
    stmLength: 0,
    ...fields,
  };
}

/** What a change is computed on: nothing seen before and nothing loaded, unless said otherwise. */
export function baseOn(state: Partial<SessionState> = {}, fields: Partial<Base> = {}): Base {
  return { state: sessionState(state), seen: new Map(), memory: {}, ...fields };
}

/** An empty observation under the id "id", unless said otherwise. */
export function observation(fields: Partial<Observation> = {}): Observation {
  return { ...observationOf(fields, () => "id"), ...fields };
}

/** A call that waits a minute and notes nothing. */
export function testCall(fields: Partial<Call> = {}): Call {
  return {
    requestId: "request",
    deadlineAt: Date.now() + 60_000,
    sessionId: undefined,
    nodeId: undefined,
    queued: () => undefined,
    aside: (promise) => promise,
    trace: () => undefined,
    ...fields,
  };
}
