import { randomUUID } from "node:crypto";
import type { Metadata, ObservationInput } from "@kato-rpc/shared/observation.ts";
import type {
  ClearStmReply,
  Cognition,
  ConfigureReply,
  CreateReply,
  DeleteReply,
  ExtendReply,
  LearnReply,
  NextReply,
  ObserveReply,
  ObserveSequenceReply,
  Percept,
  PredictReply,
  SessionInfo,
  StmReply,
} from "@kato-rpc/shared/session.ts";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import { patchConfig } from "@kato-rpc/shared/session-config.ts";
import type { PredictionOverrides } from "@kato-rpc/shared/session-config.ts";
import { averageEmotives } from "../engine/emotives.ts";
import type {
  Contact,
  Moment,
  Retention,
  SessionPart,
  SessionStore,
} from "../stores/session-store.ts";
import { sessionNotFound } from "../stores/store-errors.ts";
import type { Call } from "./call.ts";
import { noted } from "./call.ts";
import { clearStm, configure } from "./clear-and-configure.ts";
import { learn } from "./learn.ts";
import { observationOf, observe } from "./observe.ts";
import type { SequenceInput } from "./observe-sequence.ts";
import { observeSequence, sequenceDigest } from "./observe-sequence.ts";
import { digestOf, refuseOtherContent } from "../content-digest.ts";
import { drawHex } from "../random-hex.ts";
import type { NextInput } from "./predictions.ts";
import { Predictions } from "./predictions.ts";
import type { PreparedReply } from "./prepared-reply.ts";
import type { SessionChange } from "./session-change.ts";
import { rememberedId } from "./session-change.ts";
import type { NodeAccess } from "./node-access.ts";
import { SessionCommitter } from "./session-committer.ts";
import { sessionInfo } from "./session-info.ts";
import { createSessionId, isSessionId } from "../stores/session-id.ts";
import { drawVersionMark } from "../stores/version-mark.ts";
import { SessionQueue } from "./session-queue.ts";

export type SessionRules = {
  /** Seconds a session lives without use, where its creation does not say. */
  ttlSeconds: number;
  /** Whether every call on a session (but `exists`) prolongs its life. */
  autoExtend: boolean;
  retention: Retention;
  /** Sessions that a worker remembers from one call to the next; 20,000 unless given. */
  cachedSessions?: number | undefined;
  /** Makes an id that nobody else makes; a random one unless given. */
  createSessionId?: ((nodeId: string) => string) | undefined;
};

/** `now`: milliseconds by which calls' deadlines pass; `moment`: when calls on sessions happen. */
export type SessionClocks = { now(): number; moment(): Moment };

/** Where the use cases read and write. */
export type SessionStores = { sessions: SessionStore; nodes: NodeAccess };

/**
 * The use cases of `session.*`. Calls on one session take effect in the order in which they come.
 *
 * @throws ServiceError from every method: SESSION_NOT_FOUND, SESSION_EXPIRED, STORE_UNAVAILABLE.
 */
export class SessionService {
  readonly #store: SessionStore;
  readonly #rules: SessionRules;
  readonly #moment: () => Moment;
  readonly #committer: SessionCommitter;
  readonly #queue: SessionQueue;
  readonly #predictions: Predictions;
  readonly #counters = { observations: 0, learns: 0, sessionsCreated: 0, sessionsDeleted: 0 };

  constructor(stores: SessionStores, rules: SessionRules, clocks: SessionClocks) {
    this.#store = stores.sessions;
    this.#rules = rules;
    this.#moment = clocks.moment;
    this.#committer = new SessionCommitter(stores.sessions, stores.nodes, {
      contact: () => this.#contact(),
      now: clocks.now,
      retention: rules.retention,
      cachedSessions: rules.cachedSessions,
    });
    this.#queue = new SessionQueue(this.#committer, clocks.now);
    this.#predictions = new Predictions({
      ...stores,
      queue: this.#queue,
      contact: () => this.#contact(),
    });
  }

  /** Since this worker started. */
  get counters() {
    return {
      ...this.#counters,
      storeConflicts: this.#committer.conflicts,
    };
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
  ): Promise<CreateReply> {
    call.queued();
    const { requestId } = input;
    const digest = requestId === undefined ? undefined : createDigest(input);
    const { createSessionId: createId = createSessionId } = this.#rules;
    const created = await this.#store.create({
      sessionId: createId(input.nodeId),
      nodeId: input.nodeId,
      nowMs: this.#moment(),
      ttlSeconds: input.ttlSeconds ?? this.#rules.ttlSeconds,
      metadata: input.metadata ?? {},
      config: patchConfig({}, input.config ?? {}),
      mark: drawVersionMark(),
      requestId,
      digest,
    });
    // Whoever has but the id is not told which session it made.
    const digests = { remembered: created.firstDigest, given: digest };
    refuseOtherContent(requestId ?? "", digests, { nodeId: input.nodeId });
    if (!created.repeated) {
      this.#counters.sessionsCreated += 1;
      this.#committer.begin(created.state);
    }
    call.trace("committed", { version: created.state.version });
    const info = sessionInfo(noted(created, call));
    return created.repeated ? { ...info, replayed: true } : info;
  }

  get(sessionId: string, call: Call): Promise<SessionInfo> {
    return this.#read(sessionId, [], call).then(sessionInfo);
  }

  async exists(sessionId: string, call: Call): Promise<{ exists: boolean; expired: boolean }> {
    call.sessionId = sessionId;
    if (!isSessionId(sessionId)) return { exists: false, expired: false };
    const find = () => this.#store.find(sessionId, this.#moment());
    const found = await this.#queue.task(sessionId, find, call);
    call.trace("loaded");
    return { exists: found === "live", expired: found === "expired" };
  }

  async extend(
    input: {
      sessionId: string;
      ttlSeconds?: number | undefined;
      requestId?: string | undefined;
    },
    call: Call,
  ): Promise<ExtendReply> {
    const { sessionId, ttlSeconds, requestId } = input;
    requireSessionId(sessionId);
    const digest = digestOf(ttlSeconds ?? null);
    const request =
      requestId === undefined ? undefined : { id: rememberedId("extend", requestId), digest };
    const extend = () =>
      this.#store.extend(sessionId, { nowMs: this.#moment(), ttlSeconds, request });
    const extended = await this.#queue.task(sessionId, extend, call);
    const { firstDigest } = extended;
    refuseOtherContent(requestId ?? "", { remembered: firstDigest, given: digest }, { sessionId });
    call.sessionId = sessionId;
    call.trace("committed");
    return {
      expiresAt: new Date(extended.expiresAt),
      ttlSeconds: extended.ttlSeconds,
      ...(firstDigest === undefined ? {} : { replayed: true }),
    };
  }

  async delete(
    { sessionId, requestId }: { sessionId: string; requestId?: string | undefined },
    call: Call,
  ): Promise<DeleteReply> {
    call.sessionId = sessionId;
    if (!isSessionId(sessionId)) return { deleted: false };
    const remove = async () => {
      this.#committer.forget(sessionId);
      return this.#store.delete(sessionId, this.#moment(), requestId);
    };
    const deleted = await this.#queue.task(sessionId, remove, call);
    call.trace("committed");
    if (deleted === "repeated") return { deleted: true, replayed: true };
    if (deleted) this.#counters.sessionsDeleted += 1;
    return { deleted };
  }

  async configure(
    input: { sessionId: string; config: SessionConfigPatch; requestId?: string | undefined },
    call: Call,
  ): Promise<ConfigureReply> {
    const { config, requestId } = input;
    return this.#change(input.sessionId, configure(config, requestId), call);
  }

  async clearStm(
    input: { sessionId: string; requestId?: string | undefined },
    call: Call,
  ): Promise<ClearStmReply> {
    return this.#change(input.sessionId, clearStm(input.requestId), call);
  }

  async observe(
    input: ObservationInput & {
      sessionId: string;
      expectedTime?: number | undefined;
      predict?: boolean | undefined;
    },
    call: Call,
  ): Promise<ObserveReply> {
    const observation = observationOf(input, () => `obs-${drawHex()}`);
    const change = observe(observation, {
      ...this.#rules.retention,
      expectedTime: input.expectedTime,
      predicts: input.predict ?? false,
    });
    const reply = await this.#change(input.sessionId, change, call);
    this.#count(reply);
    return reply;
  }

  async observeSequence(
    input: {
      sessionId: string;
      requestId?: string | undefined;
    } & SequenceInput,
    call: Call,
  ): Promise<ObserveSequenceReply> {
    const { requestId } = input;
    // For the replies to its observations alone.
    const name = requestId ?? randomUUID();
    const change = observeSequence(
      {
        observations: input.observations.map((item, i) => ({
          ...observationOf(item, () => `seq-obs-${name}.${i}`),
          isRemembered: item.observationId !== undefined,
        })),
        clearStmBetween: input.clearStmBetween ?? false,
        learnAfterEach: input.learnAfterEach ?? false,
        learnAtEnd: input.learnAtEnd ?? false,
        requestId,
        digest: input.requestId === undefined ? undefined : sequenceDigest(input),
      },
      this.#rules.retention,
    );
    const reply = await this.#change(input.sessionId, change, call);
    for (const item of reply.results) this.#count({ ...item, learned: null });
    if (!reply.replayed) this.#counters.learns += reply.learned.length;
    return reply;
  }

  async learn(
    input: { sessionId: string; requestId?: string | undefined },
    call: Call,
  ): Promise<LearnReply> {
    const change = learn(input.requestId);
    const reply = await this.#change(input.sessionId, change, call);
    if (reply.learned !== null && !reply.replayed) this.#counters.learns += 1;
    return reply;
  }

  async predict(
    input: { sessionId: string; overrides?: PredictionOverrides | undefined },
    call: Call,
  ): Promise<PreparedReply<PredictReply>> {
    requireSessionId(input.sessionId);
    return this.#predictions.predict(input, call);
  }

  async next(input: NextInput, call: Call): Promise<PreparedReply<NextReply>> {
    requireSessionId(input.sessionId);
    return this.#predictions.next(input, call);
  }

  async cognition(sessionId: string, call: Call): Promise<Cognition> {
    requireSessionId(sessionId);
    return this.#predictions.cognition(sessionId, call);
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
    return { nowMs: this.#moment(), slides: this.#rules.autoExtend };
  }

  #change<Reply>(sessionId: string, change: SessionChange<Reply>, call: Call): Promise<Reply> {
    requireSessionId(sessionId);
    return this.#queue.change(sessionId, change, call);
  }

  #count({ replayed, learned }: { replayed: boolean; learned: string | null }): void {
    if (replayed) return;
    this.#counters.observations += 1;
    if (learned !== null) this.#counters.learns += 1;
  }

  async #read(sessionId: string, parts: readonly SessionPart[], call: Call) {
    requireSessionId(sessionId);
    const load = () => this.#store.load(sessionId, { at: this.#contact(), parts });
    const loaded = noted(await this.#queue.task(sessionId, load, call), call);
    call.trace("loaded", { version: loaded.state.version });
    return loaded;
  }
}

/** The time to live as asked for: what stands for none may differ between workers. */
function createDigest(input: {
  config?: SessionConfigPatch | undefined;
  metadata?: Metadata | undefined;
  ttlSeconds?: number | undefined;
}): string {
  return digestOf([input.config ?? {}, input.metadata ?? {}, input.ttlSeconds ?? null]);
}

/** @throws ServiceError SESSION_NOT_FOUND for a text that cannot be a session id */
function requireSessionId(sessionId: string): void {
  if (!isSessionId(sessionId)) throw sessionNotFound(sessionId);
}
