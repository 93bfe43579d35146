import type { NodeSummary } from "@kato-rpc/shared/node.ts";
import type { Emotives, Event, JsonValue, Metadata } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import type {
  CommitResult,
  Contact,
  CurrentSession,
  ListedSession,
  LoadedSession,
  NewSession,
  Page,
  PageRequest,
  Retention,
  SessionCommit,
  SessionStore,
  StoredPercept,
} from "../session-store.ts";
import { CREATE_REQUEST_TTL_MS, TOMBSTONE_MS } from "../session-store.ts";
import { invalidCursor, sessionExpired, sessionNotFound } from "../store-errors.ts";
import type { SqliteDatabase } from "./database.ts";
import type { Statements } from "./statements.ts";
import { prepareStatements } from "./statements.ts";

type SessionRow = {
  session: number;
  sessionId: string;
  nodeId: string;
  createdAt: number;
  ttlSeconds: number;
  expiresAt: number;
  version: number;
  time: number;
  metadataJson: string;
  configJson: string;
  perceptJson: string | null;
  nextPosition: number;
  eventCount: number;
  emotivesCount: number;
  metadataCount: number;
  replyCount: number;
};

/** How long what an expired session held stays: a call that was made before the expiry may still wait. */
const CLEARING_DELAY_MS = 60_000;

const KIND = { event: 0, emotives: 1, metadata: 2 } as const;

/** Sessions in one SQLite file, shared by all workers of a machine. Schema: migrations/. */
export class SqliteSessionStore implements SessionStore {
  readonly kind = "sqlite";
  readonly #database: SqliteDatabase;
  readonly #statements: Statements;
  readonly #retention: Retention;
  /** The node whose expired sessions were last cleared away, besides the one in use. */
  #lastSwept = 0;

  constructor(database: SqliteDatabase, retention: Retention) {
    this.#database = database;
    this.#statements = prepareStatements(database.connection);
    this.#retention = retention;
  }

  create(session: NewSession): Promise<CurrentSession & { repeated: boolean }> {
    return this.#database.write(() => {
      const { sessionId, nodeId, nowMs, ttlSeconds, metadata, config, requestId } = session;
      const db = this.#statements;
      db.addNode.run(nodeId);
      const { node } = db.node.get(nodeId) as { node: number };
      if (requestId !== undefined) {
        const earlier = db.createRequest.get(node, requestId, nowMs) as
          | { sessionId: string }
          | undefined;
        if (earlier !== undefined) {
          const row = this.#enter(earlier.sessionId, { nowMs, slides: false });
          return { ...this.#current(row, []), repeated: true };
        }
        db.addCreateRequest.run(node, requestId, sessionId, nowMs + CREATE_REQUEST_TTL_MS);
      }
      const expiresAt = nowMs + ttlSeconds * 1_000;
      const texts = [JSON.stringify(metadata), JSON.stringify(config)] as const;
      db.addSession.run(sessionId, node, nowMs, ttlSeconds, expiresAt, ...texts);
      this.#sweep(node, nowMs);
      const row = this.#enter(sessionId, { nowMs, slides: false });
      return { ...this.#current(row, []), repeated: false };
    });
  }

  load(sessionId: string, options: Parameters<SessionStore["load"]>[1]): Promise<LoadedSession> {
    const { at, ids = [], parts = [] } = options;
    return this.#database.write(() => {
      const row = this.#enter(sessionId, at);
      return {
        ...this.#current(row, ids),
        stm: parts.includes("stm") ? (this.#entries(row, KIND.event) as Event[]) : [],
        emotives: parts.includes("emotives")
          ? (this.#entries(row, KIND.emotives) as Emotives[])
          : [],
        percept:
          parts.includes("percept") && row.perceptJson !== null
            ? (parseJson(row.perceptJson) as StoredPercept)
            : null,
      };
    });
  }

  commit(commit: SessionCommit): Promise<CommitResult> {
    return this.#database.write(() => {
      const row = this.#enter(commit.sessionId, commit.at);
      const current = this.#current(row, commit.ids);
      if (row.version !== commit.baseVersion || current.seen.size > 0) {
        return { status: "stale", ...current };
      }
      this.#apply(row, commit);
      return { status: "committed", expiresAt: row.expiresAt };
    });
  }

  extend(
    sessionId: string,
    { nowMs, ttlSeconds }: { nowMs: number; ttlSeconds: number | undefined },
  ): Promise<{ expiresAt: number; ttlSeconds: number }> {
    return this.#database.write(() => {
      const row = this.#enter(sessionId, { nowMs, slides: false });
      this.#slide(row, nowMs + (ttlSeconds ?? row.ttlSeconds) * 1_000);
      return { expiresAt: row.expiresAt, ttlSeconds: row.ttlSeconds };
    });
  }

  delete(sessionId: string, nowMs: number): Promise<boolean> {
    return this.#database.write(() => {
      const row = this.#statements.session.get(sessionId) as SessionRow | undefined;
      if (row === undefined || nowMs > row.expiresAt) return false;
      this.#remove(row.session);
      return true;
    });
  }

  find(sessionId: string, nowMs: number): Promise<"live" | "expired" | "missing"> {
    return this.#database.read(() => {
      const row = this.#statements.session.get(sessionId) as SessionRow | undefined;
      return row !== undefined && nowMs <= row.expiresAt ? "live" : this.#fateOf(sessionId, nowMs);
    });
  }

  async listSessions(nodeId: string, page: PageRequest): Promise<Page<ListedSession>> {
    const { nowMs, limit } = page;
    const [expiresAt, sessionId] = readCursor(page.cursor);
    // What has expired since the page before is skipped.
    const after =
      expiresAt < nowMs ? { expiresAt: nowMs, sessionId: "" } : { expiresAt, sessionId };
    const rows = await this.#database.read(
      () =>
        this.#statements.sessionsAfter.all({ nodeId, ...after, limit: limit + 1 }) as SessionRow[],
    );
    const items = rows.slice(0, limit).map((row) => readRow(row, this.#retention));
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { items, nextCursor: last === undefined ? null : `${last.expiresAt}:${last.sessionId}` };
  }

  countSessions(nodeId: string, nowMs: number): Promise<number> {
    const count = () => this.#statements.countSessions.get(nodeId, nowMs) as { active: number };
    return this.#database.read(() => count().active);
  }

  async listNodes(request: {
    after: string | undefined;
    limit: number;
    nowMs: number;
  }): Promise<{ items: NodeSummary[]; more: boolean }> {
    const { after, limit, nowMs: now } = request;
    // No text lies between one and the same with a NUL behind it.
    const from = after === undefined ? "" : `${after}\0`;
    const rows = await this.#database.read(
      () => this.#statements.nodesAfter.all({ from, now, limit: limit + 1 }) as NodeSummary[],
    );
    return { items: rows.slice(0, limit), more: rows.length > limit };
  }

  /** A write, since reading would succeed on a full disk. */
  async ping(): Promise<number> {
    const start = performance.now();
    await this.#database.write(() => undefined);
    return performance.now() - start;
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** The live session's row, its expiry moved as the contact says. */
  #enter(sessionId: string, at: Contact): SessionRow {
    const row = this.#statements.session.get(sessionId) as SessionRow | undefined;
    if (row === undefined || at.nowMs > row.expiresAt) {
      const fate = this.#fateOf(sessionId, at.nowMs);
      throw fate === "expired" ? sessionExpired(sessionId) : sessionNotFound(sessionId);
    }
    if (at.slides) this.#slide(row, at.nowMs + row.ttlSeconds * 1_000);
    return row;
  }

  /** What became of a session that is not live. */
  #fateOf(sessionId: string, nowMs: number): "expired" | "missing" {
    const db = this.#statements;
    const row = db.session.get(sessionId) as SessionRow | undefined;
    const cleared = db.expiredSession.get(sessionId) as { forgetAt: number } | undefined;
    const forgetAt = row === undefined ? cleared?.forgetAt : row.expiresAt + TOMBSTONE_MS;
    return forgetAt !== undefined && nowMs <= forgetAt ? "expired" : "missing";
  }

  #slide(row: SessionRow, expiresAt: number): void {
    if (expiresAt <= row.expiresAt) return;
    this.#statements.setExpiry.run(expiresAt, row.session);
    row.expiresAt = expiresAt;
  }

  #current(row: SessionRow, ids: readonly string[]): CurrentSession {
    const seen = new Map<string, JsonValue>();
    for (const id of ids) {
      const reply = this.#statements.reply.get(row.session, id) as { json: string } | undefined;
      if (reply !== undefined) seen.set(id, parseJson(reply.json) as JsonValue);
    }
    return { ...readRow(row, this.#retention), seen };
  }

  #entries(row: SessionRow, kind: number): unknown[] {
    const rows = this.#statements.entries.all(row.session, kind) as { json: string }[];
    const { events, accumulated } = this.#retention;
    const keep = kind === KIND.event ? events : accumulated;
    return rows.slice(-keep).map(({ json }) => parseJson(json));
  }

  #apply(row: SessionRow, { delta, time, outcomes }: SessionCommit): void {
    const db = this.#statements;
    const { session } = row;
    if (delta.clearsStm) {
      db.removeEntries.run(session, KIND.event);
      row.eventCount = 0;
    }
    if (delta.clearsAccumulators) {
      db.removeEntries.run(session, KIND.emotives);
      db.removeEntries.run(session, KIND.metadata);
      row.emotivesCount = 0;
      row.metadataCount = 0;
    }
    const { events, accumulated } = this.#retention;
    const add = (kind: number, items: readonly unknown[], rule: { count: number; keep: number }) =>
      this.#append(row, { kind, items: items.slice(-rule.keep), ...rule });
    db.updateSession.run({
      eventCount: add(KIND.event, delta.events, { count: row.eventCount, keep: events }),
      emotivesCount: add(KIND.emotives, delta.emotives, {
        count: row.emotivesCount,
        keep: accumulated,
      }),
      metadataCount: add(KIND.metadata, delta.metadata, {
        count: row.metadataCount,
        keep: accumulated,
      }),
      replyCount: this.#remember(row, outcomes),
      nextPosition: row.nextPosition,
      session,
      time,
      configJson: delta.config === undefined ? row.configJson : JSON.stringify(delta.config),
      perceptJson: nextPercept(row, delta.percept),
    });
  }

  /** Appends entries of one kind and drops the oldest past `keep`; gives how many there are then. */
  #append(
    row: SessionRow,
    change: { kind: number; items: readonly unknown[]; count: number; keep: number },
  ): number {
    const { kind, items, keep } = change;
    for (const item of items) {
      this.#statements.addEntry.run(row.session, kind, row.nextPosition, JSON.stringify(item));
      row.nextPosition += 1;
    }
    const count = change.count + items.length;
    if (count <= keep + slackOf(keep)) return count;
    this.#statements.removeOldestEntries.run({ session: row.session, kind, count: count - keep });
    return keep;
  }

  #remember(row: SessionRow, outcomes: SessionCommit["outcomes"]): number {
    const keep = this.#retention.outcomes;
    const kept = outcomes.slice(-keep);
    for (const { id, reply } of kept) {
      this.#statements.addReply.run(row.session, id, row.nextPosition, JSON.stringify(reply));
      row.nextPosition += 1;
    }
    const count = row.replyCount + kept.length;
    if (count <= keep + slackOf(keep)) return count;
    this.#statements.removeOldestReplies.run({ session: row.session, count: count - keep });
    return keep;
  }

  /** Clears away expired sessions and, a day later, their names: a few at each creation. */
  #sweep(node: number, nowMs: number): void {
    const db = this.#statements;
    const other = (db.nodeAfter.get(this.#lastSwept) as { node: number } | undefined)?.node ?? 0;
    this.#lastSwept = other;
    for (const swept of new Set([node, other])) {
      const expired = db.clearableSessions.all(swept, nowMs - CLEARING_DELAY_MS) as Pick<
        SessionRow,
        "session" | "sessionId" | "expiresAt"
      >[];
      for (const { session, sessionId, expiresAt } of expired) {
        this.#remove(session);
        db.addExpiredSession.run(sessionId, expiresAt + TOMBSTONE_MS);
      }
    }
    db.forgetExpiredSessions.run(nowMs);
    db.forgetCreateRequests.run(nowMs);
  }

  #remove(session: number): void {
    this.#statements.removeAllEntries.run(session);
    this.#statements.removeAllReplies.run(session);
    this.#statements.removeSession.run(session);
  }
}

/**
 * How many entries more than a session keeps may stand: they are removed several at a time, since one
 * for one would cost every commit on a full session more pages. Who reads looks at the newest only.
 */
function slackOf(keep: number): number {
  return Math.floor(keep / 16);
}

function nextPercept(row: SessionRow, percept: StoredPercept | null | undefined): string | null {
  if (percept === undefined) return row.perceptJson;
  return percept === null ? null : JSON.stringify(percept);
}

function readRow(row: SessionRow, { events }: Retention): ListedSession {
  return {
    state: {
      sessionId: row.sessionId,
      nodeId: row.nodeId,
      createdAt: row.createdAt,
      ttlSeconds: row.ttlSeconds,
      metadata: parseJson(row.metadataJson) as Metadata,
      version: row.version,
      config: parseJson(row.configJson) as SessionConfigPatch,
      time: row.time,
      stmLength: Math.min(row.eventCount, events),
    },
    expiresAt: row.expiresAt,
  };
}

function readCursor(cursor: string | undefined): [expiresAt: number, sessionId: string] {
  if (cursor === undefined) return [0, ""];
  const [, expiresAt, sessionId] = /^(\d{1,15}):([A-Za-z0-9.~-]+)$/.exec(cursor) ?? [];
  if (expiresAt === undefined || sessionId === undefined) throw invalidCursor(undefined);
  return [Number(expiresAt), sessionId];
}
