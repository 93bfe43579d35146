import type { Metadata } from "@kato-rpc/shared/observation.ts";
import type { NamedVector } from "../../server/engine/node-change.ts";
import { nodeTag } from "../../server/stores/session-id.ts";
import type {
  CommitResult,
  Contact,
  CreatedSession,
  Extended,
  ListedSession,
  LoadedSession,
  Moment,
  NewSession,
  Outcome,
  Page,
  PageRequest,
  Retention,
  SessionCommit,
  SessionStore,
  StoredPercept,
} from "../../server/stores/session-store.ts";
import { TOMBSTONE_MS } from "../../server/stores/session-store.ts";
import { sessionExpired, sessionNotFound } from "../../server/stores/store-errors.ts";
import { ModelNode } from "./model-node.ts";

type ModelSession = ListedSession & {
  stm: string[][];
  emotives: Record<string, number>[];
  metadata: Metadata[];
  vectors: NamedVector[];
  percept: StoredPercept | null;
  /** Each with the bytes of all remembered up to it. */
  outcomes: (Outcome & { at: number; bytes: number })[];
  bytes: number;
};

type ModelRequest = { sessionId: string; digest: string | undefined; forgetAt: number };

/** The session store as plainly as it can be said: everything in memory, nothing ever swept away. */
export class ModelStore implements SessionStore {
  readonly kind = "sqlite";
  /** Of all sessions, each from its next commit on. */
  retention: Retention;
  readonly #now: () => number;
  readonly #tombstoneStepMs: number;
  #sessions = new Map<string, ModelSession>();
  #nodes = new Set<string>();
  #memories = new Map<string, ModelNode>();
  #deletions = new Map<string, number>();
  #requests = new Map<string, ModelRequest>();

  /** `now`: the store's own clock, in epoch ms; `tombstoneStepMs`: what expired is forgotten a day after such a step. */
  constructor(
    retention: Retention,
    now: () => number = () => Date.now(),
    tombstoneStepMs: number = 1,
  ) {
    this.retention = retention;
    this.#now = now;
    this.#tombstoneStepMs = tombstoneStepMs;
  }

  async create(session: NewSession): Promise<CreatedSession> {
    const { nowMs: moment, requestId, digest, ...asked } = session;
    const nowMs = this.#timeAt(moment);
    const { sessionId, nodeId, ttlSeconds } = asked;
    this.#nodes.add(nodeId);
    const request = `${nodeTag(nodeId)}:${requestId}`;
    const earlier = this.#requests.get(request);
    if (earlier !== undefined && nowMs <= earlier.forgetAt) {
      const first = this.#enter(earlier.sessionId, { nowMs, slides: false });
      const { digest: firstDigest } = earlier;
      const repeated = { ...current(first, []), repeated: true };
      return firstDigest === undefined ? repeated : { ...repeated, firstDigest };
    }
    if (requestId !== undefined) {
      const forgetAt = nowMs + this.retention.outcomesMs;
      this.#requests.set(request, { sessionId, digest, forgetAt });
    }
    const created: ModelSession = {
      state: { ...asked, createdAt: nowMs, version: 0, time: 0, stmLength: 0 },
      expiresAt: nowMs + ttlSeconds * 1_000,
      stm: [],
      emotives: [],
      metadata: [],
      vectors: [],
      percept: null,
      outcomes: [],
      bytes: 0,
    };
    this.#sessions.set(sessionId, created);
    return { ...current(created, []), repeated: false };
  }

  async load(
    sessionId: string,
    { at, ids = [], parts = [] }: Parameters<SessionStore["load"]>[1],
  ): Promise<LoadedSession> {
    const session = this.#enter(sessionId, at);
    return {
      ...current(session, ids),
      stm: parts.includes("stm") ? session.stm : [],
      emotives: parts.includes("emotives") ? session.emotives : [],
      metadata: parts.includes("metadata") ? session.metadata : [],
      vectors: parts.includes("vectors") ? session.vectors : [],
      percept: parts.includes("percept") ? session.percept : null,
    };
  }

  async commit(commit: SessionCommit): Promise<CommitResult> {
    const before = this.#sessions.get(commit.sessionId)?.expiresAt;
    const session = this.#enter(commit.sessionId, commit.at);
    try {
      return this.#commit(session, commit);
    } catch (error) {
      // Refused for its learns: not even the contact has happened.
      session.expiresAt = before ?? session.expiresAt;
      throw error;
    }
  }

  #commit(session: ModelSession, commit: SessionCommit): CommitResult {
    const { delta, outcomes, time, mark, learns } = commit;
    const { version, mark: markThere } = session.state;
    const found = current(session, commit.ids);
    const isNew = version !== commit.baseVersion || markThere !== commit.baseMark;
    if (isNew || found.seen.size > 0) {
      return { status: "stale", ...found };
    }
    const frequencies = this.node(nodeTag(session.state.nodeId)).applyAll(learns);
    const { events, accumulated } = this.retention;
    const { stm, emotives, metadata, vectors, percept } = session;
    const { clearsStm, clearsAccumulators, clearsVectors } = delta;
    session.stm = extend(clearsStm ? [] : stm, delta.events, events);
    session.emotives = extend(clearsAccumulators ? [] : emotives, delta.emotives, accumulated);
    session.metadata = extend(clearsAccumulators ? [] : metadata, delta.metadata, accumulated);
    session.vectors = extend(clearsVectors ? [] : vectors, delta.vectors, accumulated);
    session.percept = delta.percept === undefined ? percept : delta.percept;
    const remembered = outcomes.map(({ id, reply, learn }): Outcome => {
      return { id, reply: learn === undefined ? reply : [reply, frequencies[learn] ?? null] };
    });
    this.#remember(session, remembered, this.#timeAt(commit.at.nowMs));
    session.state = {
      ...session.state,
      version: version + 1,
      mark,
      time,
      stmLength: session.stm.length,
      config: delta.config ?? session.state.config,
    };
    return { status: "committed", expiresAt: session.expiresAt, frequencies };
  }

  /** Keeps the state that the store has now; what it gives puts the store back to it, once. */
  keep(): () => void {
    // What a session or node holds beside its fields is replaced by changes, never changed; what is remembered is added to.
    const copy = (session: ModelSession) => ({ ...session, outcomes: [...session.outcomes] });
    const sessions = new Map(Array.from(this.#sessions, ([id, session]) => [id, copy(session)]));
    const memories = new Map(Array.from(this.#memories, ([tag, node]) => [tag, node.copy()]));
    const [nodes, deletions] = [new Set(this.#nodes), new Map(this.#deletions)];
    const requests = new Map(this.#requests);
    return () => {
      this.#sessions = sessions;
      this.#nodes = nodes;
      this.#memories = memories;
      this.#deletions = deletions;
      this.#requests = requests;
    };
  }

  /** What the node's long-term memory must be. */
  node(tag: string): ModelNode {
    const node = this.#memories.get(tag) ?? new ModelNode();
    this.#memories.set(tag, node);
    return node;
  }

  async extend(
    sessionId: string,
    options: Parameters<SessionStore["extend"]>[1],
  ): Promise<Extended> {
    const { request } = options;
    const nowMs = this.#timeAt(options.nowMs);
    const session = this.#enter(sessionId, { nowMs, slides: false });
    const { ttlSeconds } = session.state;
    const first = session.outcomes.find(({ id }) => id === request?.id)?.reply as
      | [digest: string, [expiresAt: number]]
      | undefined;
    if (first !== undefined) {
      return { expiresAt: first[1][0], ttlSeconds, firstDigest: first[0] };
    }
    slide(session, nowMs + (options.ttlSeconds ?? ttlSeconds) * 1_000);
    const { expiresAt } = session;
    if (request !== undefined) {
      const reply = [request.digest, [expiresAt, ttlSeconds]];
      this.#remember(session, [{ id: request.id, reply }], nowMs);
    }
    return { expiresAt, ttlSeconds };
  }

  async delete(
    sessionId: string,
    moment: Moment,
    requestId?: string,
  ): Promise<boolean | "repeated"> {
    const nowMs = this.#timeAt(moment);
    const deletion = `${sessionId}:${requestId}`;
    if ((await this.find(sessionId, nowMs)) !== "live") {
      const forgetAt = this.#deletions.get(deletion);
      return forgetAt !== undefined && nowMs <= forgetAt && "repeated";
    }
    if (requestId !== undefined) {
      this.#deletions.set(deletion, nowMs + this.retention.outcomesMs);
    }
    return this.#sessions.delete(sessionId);
  }

  /** Forgets what is over once the oldest is by a sixteenth, as stores do. */
  #remember(session: ModelSession, added: readonly Outcome[], at: number): void {
    const { outcomes: kept, outcomesMs } = this.retention;
    for (const outcome of added) {
      session.bytes += Buffer.byteLength(outcome.id + JSON.stringify(outcome.reply));
      session.outcomes.push({ ...outcome, at, bytes: session.bytes });
    }
    const all = session.outcomes;
    const isOver = (i: number, most: (rule: number) => number) => {
      const [age, count] = [at - all[i]!.at, all.length - i];
      if (age > most(outcomesMs) || (count > most(kept) && age > most(60_000))) return true;
      return count > most(16 * kept) || session.bytes - all[i]!.bytes > most(16 * 2 ** 20);
    };
    if (added.length === 0 || !isOver(0, (rule) => rule + Math.floor(rule / 16))) return;
    session.outcomes = all.slice(all.findIndex((_, i) => !isOver(i, (rule) => rule)));
  }

  async find(sessionId: string, moment: Moment): Promise<"live" | "expired" | "missing"> {
    const nowMs = this.#timeAt(moment);
    const session = this.#sessions.get(sessionId);
    if (session === undefined || this.#isForgotten(session, nowMs)) return "missing";
    return nowMs > session.expiresAt ? "expired" : "live";
  }

  /** The cursor is a number of items, so sessions may not change during a walk. */
  async listSessions(nodeId: string, page: PageRequest): Promise<Page<ListedSession>> {
    const live = this.#live(nodeId, this.#timeAt(page.nowMs));
    const start = Number(page.cursor ?? 0);
    const end = start + page.limit;
    return {
      items: live.slice(start, end).map(({ state, expiresAt }) => ({ state, expiresAt })),
      nextCursor: end < live.length ? String(end) : null,
    };
  }

  async countSessions(nodeId: string, nowMs: Moment): Promise<number> {
    return this.#live(nodeId, this.#timeAt(nowMs)).length;
  }

  async hasNode(nodeId: string): Promise<boolean> {
    return this.#nodes.has(nodeId);
  }

  async listNodes(request: { after: string | undefined; limit: number; nowMs: Moment }) {
    const { after, limit } = request;
    const nowMs = this.#timeAt(request.nowMs);
    const nodeIds = [...this.#nodes].toSorted(byBytes);
    const found = nodeIds.filter((id) => after === undefined || byBytes(id, after) > 0);
    const items = found
      .slice(0, limit)
      .map((nodeId) => ({ nodeId, activeSessions: this.#live(nodeId, nowMs).length }));
    return { items, more: found.length > limit };
  }

  async ping(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}

  #enter(sessionId: string, at: Contact): ModelSession {
    const nowMs = this.#timeAt(at.nowMs);
    const session = this.#sessions.get(sessionId);
    if (session === undefined || this.#isForgotten(session, nowMs)) {
      throw sessionNotFound(sessionId);
    }
    if (nowMs > session.expiresAt) throw sessionExpired(sessionId);
    if (at.slides) slide(session, nowMs + session.state.ttlSeconds * 1_000);
    return session;
  }

  #isForgotten({ expiresAt }: ModelSession, nowMs: number): boolean {
    const stepMs = this.#tombstoneStepMs;
    return nowMs > Math.ceil(expiresAt / stepMs) * stepMs + TOMBSTONE_MS;
  }

  #timeAt(moment: Moment): number {
    return moment ?? this.#now();
  }

  #live(nodeId: string, nowMs: number): ModelSession[] {
    return [...this.#sessions.values()]
      .filter(({ state, expiresAt }) => state.nodeId === nodeId && nowMs <= expiresAt)
      .toSorted((a, b) =>
        a.expiresAt === b.expiresAt
          ? byBytes(a.state.sessionId, b.state.sessionId)
          : a.expiresAt - b.expiresAt,
      );
  }
}

function extend<T>(items: readonly T[], added: readonly T[], keep: number): T[] {
  return [...items, ...added].slice(-keep);
}

function slide(session: ModelSession, expiresAt: number): void {
  session.expiresAt = Math.max(session.expiresAt, expiresAt);
}

function current({ state, expiresAt, outcomes }: ModelSession, ids: readonly string[]) {
  const seen = outcomes.filter(({ id }) => ids.includes(id));
  return { state, expiresAt, seen: new Map(seen.map(({ id, reply }) => [id, reply])) };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
