import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type {
  Contact,
  LoadedSession,
  NewSession,
  SessionCommit,
  SessionDelta,
  SessionPart,
  SessionStore,
} from "../../server/stores/session-store.ts";
import { createSessionId } from "../../server/stores/session-id.ts";

/** The moment at which stories begin; stores take the time from their callers, so nothing has to wait. */
export const NOW = 1_800_000_000_000;
export const DAY_MS = 86_400_000;

/** How long a caller waits before it repeats a call. */
const RETRY_DELAY_MS = 10;

/** A contact that prolongs the session's life. */
export function using(nowMs = NOW): Contact {
  return { nowMs, slides: true };
}

/** A contact that leaves the expiry where it is. */
export function looking(nowMs = NOW): Contact {
  return { nowMs, slides: false };
}

/** A session of a minute on the node "node", unless said otherwise. */
export function newSession(fields: Partial<NewSession> = {}): NewSession {
  const { nodeId = "node" } = fields;
  return {
    sessionId: createSessionId(nodeId),
    nodeId,
    nowMs: NOW,
    ttlSeconds: 60,
    metadata: {},
    config: {},
    mark: "",
    requestId: undefined,
    ...fields,
  };
}

/** Creates a session as by `newSession` and gives its id. */
export async function createSession(
  store: SessionStore,
  fields: Partial<NewSession> = {},
): Promise<string> {
  return (await store.create(newSession(fields))).state.sessionId;
}

/** The first commit of a session, made at `NOW` without moving its expiry or marking versions, unless said otherwise. */
export function commitOf(
  sessionId: string,
  { delta, ...fields }: Partial<Omit<SessionCommit, "delta">> & { delta?: Partial<SessionDelta> },
): SessionCommit {
  return {
    sessionId,
    at: looking(),
    baseVersion: 0,
    baseMark: "",
    mark: "",
    time: 1,
    delta: {
      clearsStm: false,
      clearsAccumulators: false,
      events: [],
      emotives: [],
      metadata: [],
      clearsVectors: false,
      vectors: [],
      ...delta,
    },
    ids: [],
    outcomes: [],
    learns: [],
    ...fields,
  };
}

export const SESSION_PARTS: readonly SessionPart[] = [
  "stm",
  "emotives",
  "metadata",
  "vectors",
  "percept",
];

/** All that can be read of a session, its expiry left where it is. */
export function readAll(
  store: SessionStore,
  sessionId: string,
  options: { nowMs?: number; ids?: readonly string[] } = {},
): Promise<LoadedSession> {
  const { nowMs = NOW, ids = [] } = options;
  return store.load(sessionId, {
    at: looking(nowMs),
    ids,
    parts: SESSION_PARTS,
  });
}

/** `count` events of one symbol each, numbered from `first`. */
export function numberedEvents(count: number, first = 0): string[][] {
  return Array.from({ length: count }, (_, i) => [`event ${first + i}`]);
}

/**
 * Appends the event `[id]` once, as a caller does who repeats a call with its id until it is answered; gives whether
 * a repeat found it done.
 */
export async function appendOnce(
  store: SessionStore,
  sessionId: string,
  id: string,
): Promise<{ wasRepeat: boolean }> {
  for (let baseVersion = 0; ;) {
    try {
      const result = await store.commit(
        commitOf(sessionId, {
          baseVersion,
          time: baseVersion + 1,
          delta: { events: [[id]] },
          ids: [id],
          outcomes: [{ id, reply: null }],
        }),
      );
      if (result.status === "committed") return { wasRepeat: false };
      if (result.seen.has(id)) return { wasRepeat: true };
      baseVersion = result.state.version;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      await delay(RETRY_DELAY_MS);
    }
  }
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof ServiceError && error.code === "STORE_UNAVAILABLE";
}
