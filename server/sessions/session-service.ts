import { randomUUID } from "node:crypto";
import type { NodePage } from "@kato-rpc/shared/node.ts";
import type { Metadata, ObservationInput, ObserveReply } from "@kato-rpc/shared/observation.ts";
import type { SessionConfig, SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import { effectiveConfig, patchConfig } from "@kato-rpc/shared/session-config.ts";
import type {
  ObserveSequenceReply,
  Percept,
  SessionInfo,
  SessionPage,
  StmReply,
} from "@kato-rpc/shared/session.ts";
import { averageEmotives } from "../engine/emotives.ts";
import type {
  Contact,
  ListedSession,
  Page,
  SessionPart,
  SessionStore,
} from "../stores/session-store.ts";
import { sessionNotFound } from "../stores/store-errors.ts";
import type { Call } from "./call.ts";
import { clearStm, configure } from "./clear-and-configure.ts";
import type { Observation } from "./observe.ts";
import { observe, observeSequence } from "./observe.ts";
import type { SessionChange } from "./session-change.ts";
import { SessionCommitter } from "./session-committer.ts";
import { createSessionId, parseSessionId } from "../stores/session-id.ts";
import { SessionQueue } from "./session-queue.ts";
import { decodeCursor, encodeCursor } from "./list-cursor.ts";

/** Nodes asked for at once when a walk goes over all of them. */
const NODES_PER_STEP = 200;

export type SessionRules = {
  /** Seconds a session lives without use, where its creation does not say. */
  ttlSeconds: number;
  /** Whether every call on a session (but `exists`) prolongs its life. */
  autoExtend: boolean;
  /** Newest events that short-term memory keeps. */
  stmLimit: number;
};

/**
 * The use cases of `session.*`. Calls on one session take effect in the order in which they come.
 *
 * @throws ServiceError from every method: SESSION_NOT_FOUND, SESSION_EXPIRED, STORE_UNAVAILABLE.
 */
export class SessionService {
  readonly #store: SessionStore;
  readonly #rules: SessionRules;
  readonly #now: () => number;
  readonly #committer: SessionCommitter;
  readonly #queue: SessionQueue;
  readonly #counters = { observations: 0, sessionsCreated: 0, sessionsDeleted: 0 };

  constructor(store: SessionStore, rules: SessionRules, now: () => number) {
    this.#store = store;
    this.#rules = rules;
    this.#now = now;
    this.#committer = new SessionCommitter(store, () => this.#contact());
    this.#queue = new SessionQueue(this.#committer, now);
  }

  /** Since this worker started. */
  get counters() {
    return { ...this.#counters, storeConflicts: this.#committer.conflicts };
  }

  async create(
    input: {
      nodeId: string;
      config?: SessionConfigPatch | undefined;
      metadata?: Metadata | undefined;
      ttlSeconds?: number | undefined;
      requestId?: string | undefined;
    },
    call: Call,
  ): Promise<SessionInfo> {
    call.queued();
    const created = await this.#store.create({
      sessionId: createSessionId(input.nodeId),
      nodeId: input.nodeId,
      nowMs: this.#now(),
      ttlSeconds: input.ttlSeconds ?? this.#rules.ttlSeconds,
      metadata: input.metadata ?? {},
      config: patchConfig({}, input.config ?? {}),
      requestId: input.requestId,
    });
    this.#counters.sessionsCreated += 1;
    call.trace("committed", { version: created.state.version });
    return sessionInfo(noted(created, call));
  }

  get(sessionId: string, call: Call): Promise<SessionInfo> {
    return this.#read(sessionId, [], call).then(sessionInfo);
  }

  async exists(sessionId: string, call: Call): Promise<{ exists: boolean; expired: boolean }> {
    call.sessionId = sessionId;
    if (parseSessionId(sessionId) === undefined) return { exists: false, expired: false };
    const found = await this.#store.find(sessionId, this.#now());
    return { exists: found === "live", expired: found === "expired" };
  }

  /** Of all nodes, or of one; does not prolong any session's life. */
  async list(input: {
    nodeId?: string | undefined;
    cursor?: string | undefined;
    limit?: number | undefined;
  }): Promise<SessionPage> {
    const { cursor, limit = 100 } = input;
    const page =
      input.nodeId === undefined
        ? await this.#listAllNodes(cursor, limit)
        : await this.#listNode(input.nodeId, cursor ?? null, limit);
    return { items: page.items.map(sessionInfo), nextCursor: page.nextCursor };
  }

  async count(nodeId: string | undefined): Promise<{ active: number }> {
    if (nodeId !== undefined)
      return { active: await this.#store.countSessions(nodeId, this.#now()) };
    let active = 0;
    let after: string | undefined;
    for (;;) {
      const nodes = await this.#store.listNodes({
        after,
        limit: NODES_PER_STEP,
        nowMs: this.#now(),
      });
      for (const node of nodes.items) {
        active += node.activeSessions;
        after = node.nodeId;
      }
      if (!nodes.more) break;
    }
    return { active };
  }

  async extend(
    input: { sessionId: string; ttlSeconds?: number | undefined },
    call: Call,
  ): Promise<{ expiresAt: Date; ttlSeconds: number }> {
    const { sessionId, ttlSeconds } = input;
    requireSessionId(sessionId);
    const extended = await this.#queue.task(
      sessionId,
      () => this.#store.extend(sessionId, { nowMs: this.#now(), ttlSeconds }),
      call,
    );
    call.sessionId = sessionId;
    return { expiresAt: new Date(extended.expiresAt), ttlSeconds: extended.ttlSeconds };
  }

  async delete(sessionId: string, call: Call): Promise<{ deleted: boolean }> {
    call.sessionId = sessionId;
    if (parseSessionId(sessionId) === undefined) return { deleted: false };
    const remove = async () => {
      this.#committer.forget(sessionId);
      return this.#store.delete(sessionId, this.#now());
    };
    const deleted = await this.#queue.task(sessionId, remove, call);
    if (deleted) this.#counters.sessionsDeleted += 1;
    return { deleted };
  }

  configure(
    input: { sessionId: string; config: SessionConfigPatch; requestId?: string | undefined },
    call: Call,
  ): Promise<{ config: SessionConfig }> {
    const change = configure(input.config, input.requestId ?? randomUUID());
    return this.#change(input.sessionId, change, call);
  }

  clearStm(
    input: { sessionId: string; requestId?: string | undefined },
    call: Call,
  ): Promise<{ cleared: true }> {
    return this.#change(input.sessionId, clearStm(input.requestId ?? randomUUID()), call);
  }

  async observe(
    input: ObservationInput & { sessionId: string; expectedTime?: number | undefined },
    call: Call,
  ): Promise<ObserveReply> {
    const observation = withId(input, `obs-${randomUUID().replaceAll("-", "")}`);
    const { stmLimit } = this.#rules;
    const change = observe(observation, { stmLimit, expectedTime: input.expectedTime });
    const reply = await this.#change(input.sessionId, change, call);
    if (!reply.replayed) this.#counters.observations += 1;
    return reply;
  }

  async observeSequence(
    input: {
      sessionId: string;
      observations: ObservationInput[];
      clearStmBetween?: boolean | undefined;
      requestId?: string | undefined;
    },
    call: Call,
  ): Promise<ObserveSequenceReply> {
    const requestId = input.requestId ?? randomUUID();
    const given = input.observations.flatMap(({ observationId = [] }) => observationId);
    const change = observeSequence(
      {
        observations: input.observations.map((item, i) =>
          withId(item, `seq-obs-${requestId}.${i}`),
        ),
        givenIds: new Set(given),
        clearStmBetween: input.clearStmBetween ?? false,
        requestId,
      },
      this.#rules,
    );
    const reply = await this.#change(input.sessionId, change, call);
    for (const item of reply.results) if (!item.replayed) this.#counters.observations += 1;
    return reply;
  }

  async stm(sessionId: string, call: Call): Promise<StmReply> {
    const { state, stm } = await this.#read(sessionId, ["stm"], call);
    return { sessionId: state.sessionId, stm, length: stm.length, time: state.time };
  }

  async percept(sessionId: string, call: Call): Promise<Percept> {
    const { state, percept, emotives } = await this.#read(sessionId, ["percept", "emotives"], call);
    return {
      sessionId: state.sessionId,
      strings: percept?.strings ?? [],
      vectors: percept?.vectors ?? [],
      emotives: averageEmotives(emotives),
      path: [],
      metadata: percept?.metadata ?? {},
    };
  }

  #contact(): Contact {
    return { nowMs: this.#now(), slides: this.#rules.autoExtend };
  }

  async #change<Reply>(
    sessionId: string,
    change: SessionChange<Reply>,
    call: Call,
  ): Promise<Reply> {
    requireSessionId(sessionId);
    return this.#queue.change(sessionId, change, call);
  }

  /** Nodes in the order of their ids; the cursor holds the last id given. */
  async listNodes(cursor: string | undefined, limit = 100): Promise<NodePage> {
    const [after] = cursor === undefined ? [undefined] : decodeCursor(cursor);
    const nodes = await this.#store.listNodes({ after, limit, nowMs: this.#now() });
    const last = nodes.items.at(-1);
    const nextCursor = nodes.more && last !== undefined ? encodeCursor([last.nodeId, null]) : null;
    return { items: nodes.items, nextCursor };
  }

  async #read(sessionId: string, parts: readonly SessionPart[], call: Call) {
    requireSessionId(sessionId);
    const load = () => this.#store.load(sessionId, { at: this.#contact(), parts });
    return noted(await this.#queue.task(sessionId, load, call), call);
  }

  /** The sessions of one node after another; the cursor names the node and the place within it. */
  async #listAllNodes(cursor: string | undefined, limit: number): Promise<Page<ListedSession>> {
    const items: ListedSession[] = [];
    let after: string | undefined;
    if (cursor !== undefined) {
      const [nodeId, within] = decodeCursor(cursor);
      const page = await this.#listNode(nodeId, within, limit);
      items.push(...page.items);
      if (page.nextCursor !== null) {
        return { items, nextCursor: encodeCursor([nodeId, page.nextCursor]) };
      }
      after = nodeId;
    }
    for (;;) {
      const nodes = await this.#store.listNodes({
        after,
        limit: NODES_PER_STEP,
        nowMs: this.#now(),
      });
      for (const { nodeId, activeSessions } of nodes.items) {
        if (activeSessions > 0) {
          if (items.length >= limit) {
            return { items, nextCursor: encodeCursor([nodeId, null]) };
          }
          const page = await this.#listNode(nodeId, null, limit - items.length);
          items.push(...page.items);
          if (page.nextCursor !== null) {
            return { items, nextCursor: encodeCursor([nodeId, page.nextCursor]) };
          }
        }
        after = nodeId;
      }
      if (!nodes.more) return { items, nextCursor: null };
    }
  }

  #listNode(nodeId: string, within: string | null, limit: number): Promise<Page<ListedSession>> {
    return this.#store.listSessions(nodeId, {
      cursor: within ?? undefined,
      limit,
      nowMs: this.#now(),
    });
  }
}

/** @throws ServiceError SESSION_NOT_FOUND for a text that cannot be a session id */
function requireSessionId(sessionId: string): void {
  if (parseSessionId(sessionId) === undefined) throw sessionNotFound(sessionId);
}

function noted<T extends ListedSession>(session: T, call: Call): T {
  call.sessionId = session.state.sessionId;
  call.nodeId = session.state.nodeId;
  return session;
}

function sessionInfo({ state, expiresAt }: ListedSession): SessionInfo {
  return {
    sessionId: state.sessionId,
    nodeId: state.nodeId,
    createdAt: new Date(state.createdAt),
    expiresAt: new Date(expiresAt),
    ttlSeconds: state.ttlSeconds,
    metadata: state.metadata,
    config: effectiveConfig(state.config),
    time: state.time,
    stmLength: state.stmLength,
  };
}

function withId(input: ObservationInput, fallbackId: string): Observation {
  return {
    strings: input.strings ?? [],
    vectors: input.vectors ?? [],
    emotives: input.emotives,
    metadata: input.metadata,
    observationId: input.observationId ?? fallbackId,
  };
}
