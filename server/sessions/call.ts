import type { ListedSession } from "../stores/session-store.ts";

/** What a use case knows of the call it works for. */
export type Call = {
  readonly requestId: string;
  /** Milliseconds by the service's `now` after which nobody waits for the answer any more. */
  readonly deadlineAt: number;
  /** The session that the reply was computed for, told to the caller beside the reply. */
  sessionId: string | undefined;
  nodeId: string | undefined;
  /** Called as soon as the call has its place in its session's order. */
  queued(): void;
  /** Waits for something that may take long, such as a node that is loaded, without a place among the running calls. */
  aside<T>(promise: Promise<T>): Promise<T>;
  /** Notes a station of the call's way; a no-op unless the log level is `debug`. */
  trace(station: Station, fields?: Record<string, number | string | boolean>): void;
};

export type Station =
  | "received"
  | "admitted"
  | "loaded"
  | "followed"
  | "predicted"
  | "computed"
  | "committed"
  | "conflicted"
  | "replied";

/** Notes for the reply and the log which session the call found. */
export function noted<T extends ListedSession>(session: T, call: Call): T {
  call.sessionId = session.state.sessionId;
  call.nodeId = session.state.nodeId;
  return session;
}
