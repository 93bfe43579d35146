import { randomUUID } from "node:crypto";
import type { Metadata, ObservationInput, ObserveReply } from "@kato-rpc/shared/observation.ts";
import type { SessionConfig, SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import { patchConfig } from "@kato-rpc/shared/session-config.ts";
import type {
  ObserveSequenceReply,
  Percept,
  SessionInfo,
  StmReply,
} from "@kato-rpc/shared/session.ts";
import { averageEmotives } from "../engine/emotives.ts";
import type { Contact, ListedSession, SessionPart, SessionStore } from "../stores/session-store.ts";
import { sessionNotFound } from "../stores/store-errors.ts";
import type { Call } from "./call.ts";
import { clearStm, configure } from "./clear-and-configure.ts";
import type { Observation } from "./observe.ts";
import { observe, observeSequence } from "./observe.ts";
import type { SessionChange } from "./session-change.ts";
import { SessionCommitter } from "./session-committer.ts";
import { sessionInfo } from "./session-info.ts";
import { createSessionId, parseSessionId } from "../stores/session-id.ts";
import { SessionQueue } from "./session-queue.ts";

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
    if (!created.repeated) this.#counters.sessionsCreated += 1;
    call.trace("committed", { version: created.state.version });
    return sessionInfo(noted(created, call));
  }

  get(sessionId: string, call: Call): Promise<SessionInfo> {
    return this.#read(sessionId, [], call).then(sessionInfo);
  }

  async exists(sessionId: string, call: Call): Promise<{ exists: boolean; expired: boolean }> {
    call.sessionId = sessionId;
    if (parseSessionId(sessionId) === undefined) return { exists: false, expired: false };
    const find = () => this.#store.find(sessionId, this.#now());
    const found = await this.#queue.task(sessionId, find, call);
    call.trace("loaded");
    return { exists: found === "live", expired: found === "expired" };
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
    call.trace("committed");
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
    call.trace("committed");
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
    const observation = withId(input, () => `obs-${randomUUID().replaceAll("-", "")}`);
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
          withId(item, () => `seq-obs-${requestId}.${i}`),
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

  async #read(sessionId: string, parts: readonly SessionPart[], call: Call) {
    requireSessionId(sessionId);
    const load = () => this.#store.load(sessionId, { at: this.#contact(), parts });
    const loaded = noted(await this.#queue.task(sessionId, load, call), call);
    call.trace("loaded", { version: loaded.state.version });
    return loaded;
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

function withId(input: ObservationInput, makeId: () => string): Observation {
  return {
    strings: input.strings ?? [],
    vectors: input.vectors ?? [],
    emotives: input.emotives,
    metadata: input.metadata,
    observationId: input.observationId ?? makeId(),
  };
}
