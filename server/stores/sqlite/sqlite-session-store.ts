import type { NodeSummary } from "@kato-rpc/shared/node.ts";
import type { JsonValue } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import { nodeTag } from "../session-id.ts";
import type {
  CommitResult,
  CreatedSession,
  Contact,
  CurrentSession,
  Extended,
  ListedSession,
  Learn,
  LoadedSession,
  Moment,
  NewSession,
  Page,
  PageRequest,
  Retention,
  SessionCommit,
  SessionMemory,
  SessionStore,
  StoredPercept,
} from "../session-store.ts";
import { readExtension, rememberExtension } from "../remembered-extension.ts";
import { invalidCursor, sessionExpired, sessionNotFound } from "../store-errors.ts";
import type { SqliteDatabase } from "./database.ts";
import { ExpiredSessions } from "./expired-sessions.ts";
import type { MemoryStatements } from "./memory-statements.ts";
import { prepareMemoryStatements } from "./memory-statements.ts";
import { applyLearns } from "./node-learning.ts";
import { SessionContents } from "./session-contents.ts";
import type { SessionRow } from "./session-row.ts";
import { endOfSecond, readRow } from "./session-row.ts";
import type { Statements } from "./statements.ts";
import { prepareStatements } from "./statements.ts";

/** Sessions in one SQLite file, shared by all workers of a machine. Schema: migrations/. */
export class SqliteSessionStore implements SessionStore {
  readonly kind = "sqlite";
  readonly #database: SqliteDatabase;
  readonly #statements: Statements;
  readonly #retention: Retention;
  readonly #memories: MemoryStatements;
  readonly #expired: ExpiredSessions;
  readonly #contents: SessionContents;

  constructor(database: SqliteDatabase, retention: Retention) {
    this.#database = database;
    this.#statements = prepareStatements(database.connection);
    this.#memories = prepareMemoryStatements(database.connection);
    this.#expired = new ExpiredSessions(this.#statements);
    this.#contents = new SessionContents(this.#statements, retention);
    this.#retention = retention;
  }

  create(session: NewSession): Promise<CreatedSession> {
    return this.#database.write(() => {
      const { sessionId, nodeId, ttlSeconds, metadata, config, requestId, digest = null } = session;
      const nowMs = this.#timeAt(session.nowMs);
      const db = this.#statements;
      db.addNode.run(nodeId);
      const { node } = db.node.get(nodeId) as { node: number };
      if (requestId !== undefined) {
        const earlier = db.createRequest.get(node, requestId, nowMs) as
          | { sessionId: string; digest: string | null }
          | undefined;
        if (earlier !== undefined) {
          const row = this.#enter(earlier.sessionId, { nowMs, slides: false });
          const first = earlier.digest === null ? {} : { firstDigest: earlier.digest };
          return { ...this.#current(row, []), repeated: true, ...first };
        }
        const forgetAt = nowMs + this.#retention.outcomesMs;
        db.addCreateRequest.run(node, requestId, sessionId, forgetAt, digest);
      }
      const expiresAt = nowMs + ttlSeconds * 1_000;
      const texts = [JSON.stringify(metadata), JSON.stringify(config)] as const;
      db.addSession.run(sessionId, node, nowMs, ttlSeconds, expiresAt, session.mark, ...texts);
      this.#expired.sweep(node, nowMs);
      const row = this.#enter(sessionId, { nowMs, slides: false });
      return { ...this.#current(row, []), repeated: false };
    });
  }

  load(sessionId: string, options: Parameters<SessionStore["load"]>[1]): Promise<LoadedSession> {
    const { at, ids = [], parts = [] } = options;
    return this.#database.write(() => {
      const row = this.#enter(sessionId, at);
      const read = <Part extends keyof SessionMemory>(part: Part): SessionMemory[Part] =>
        parts.includes(part) ? this.#contents.read(row, part) : [];
      return {
        ...this.#current(row, ids),
        stm: read("stm"),
        emotives: read("emotives"),
        metadata: read("metadata"),
        vectors: read("vectors"),
        percept:
          parts.includes("percept") && row.perceptJson !== null
            ? (parseJson(row.perceptJson) as StoredPercept)
            : null,
      };
    });
  }

  commit(commit: SessionCommit): Promise<CommitResult> {
    return this.#database.write(() => {
      const at = { ...commit.at, nowMs: this.#timeAt(commit.at.nowMs) };
      const row = this.#enter(commit.sessionId, { ...at, slides: false });
      const seen = this.#seen(row, commit.ids);
      const isNew = row.version !== commit.baseVersion || row.mark !== commit.baseMark;
      if (isNew || seen.size > 0) {
        if (at.slides) this.#slide(row, laterExpiry(row, at.nowMs));
        return { status: "stale", ...readRow(row, this.#retention), seen };
      }
      if (at.slides) row.expiresAt = laterExpiry(row, at.nowMs);
      const frequencies = this.#learn(row, commit.learns);
      this.#contents.apply(row, commit, { frequencies, nowMs: at.nowMs });
      return { status: "committed", expiresAt: row.expiresAt, frequencies };
    });
  }

  extend(
    sessionId: string,
    { nowMs: moment, ttlSeconds, request }: Parameters<SessionStore["extend"]>[1],
  ): Promise<Extended> {
    return this.#database.write(() => {
      const nowMs = this.#timeAt(moment);
      const row = this.#enter(sessionId, { nowMs, slides: false });
      const ids = request === undefined ? [] : [request.id];
      for (const first of this.#current(row, ids).seen.values()) return readExtension(first);
      this.#slide(row, nowMs + (ttlSeconds ?? row.ttlSeconds) * 1_000);
      const extended = { expiresAt: row.expiresAt, ttlSeconds: row.ttlSeconds };
      if (request !== undefined) {
        const outcome = { id: request.id, reply: rememberExtension(request, extended) };
        this.#contents.remember(row, outcome, nowMs);
      }
      return extended;
    });
  }

  delete(sessionId: string, moment: Moment, requestId?: string): Promise<boolean | "repeated"> {
    return this.#database.write(() => {
      const nowMs = this.#timeAt(moment);
      const db = this.#statements;
      const row = db.session.get(sessionId) as SessionRow | undefined;
      if (row === undefined || nowMs > row.expiresAt) {
        const isRepeat =
          requestId !== undefined && db.deletion.get(sessionId, requestId, nowMs) !== undefined;
        return isRepeat && "repeated";
      }
      this.#expired.remove(row.session);
      if (requestId !== undefined) {
        db.addDeletion.run(sessionId, requestId, nowMs + this.#retention.outcomesMs);
      }
      return true;
    });
  }

  find(sessionId: string, moment: Moment): Promise<"live" | "expired" | "missing"> {
    return this.#database.read(() => {
      const nowMs = this.#timeAt(moment);
      const row = this.#statements.session.get(sessionId) as SessionRow | undefined;
      return row !== undefined && nowMs <= row.expiresAt
        ? "live"
        : this.#expired.fateOf(sessionId, nowMs);
    });
  }

  async listSessions(nodeId: string, page: PageRequest): Promise<Page<ListedSession>> {
    const { limit } = page;
    const [endsAt, sessionId] = readCursor(page.cursor);
    const rows = await this.#database.read(() => {
      const nowMs = this.#timeAt(page.nowMs);
      // What has expired since the page before is skipped.
      const after = endsAt < nowMs ? { endsAt: nowMs, sessionId: "" } : { endsAt, sessionId };
      const wanted = { nodeId, ...after, now: nowMs, limit: limit + 1 };
      return this.#statements.sessionsAfter.all(wanted) as SessionRow[];
    });
    const items = rows.slice(0, limit).map((row) => readRow(row, this.#retention));
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    const nextCursor =
      last === undefined ? null : `${endOfSecond(last.expiresAt)}:${last.sessionId}`;
    return { items, nextCursor };
  }

  countSessions(nodeId: string, moment: Moment): Promise<number> {
    return this.#database.read(() => {
      const nowMs = this.#timeAt(moment);
      const counted = this.#statements.countSessions.get({ nodeId, ...spanOf(nowMs) });
      // Undefined where nobody ever made a session on the node.
      return (counted as { active: number } | undefined)?.active ?? 0;
    });
  }

  hasNode(nodeId: string): Promise<boolean> {
    return this.#database.read(() => this.#statements.node.get(nodeId) !== undefined);
  }

  async listNodes(request: {
    after: string | undefined;
    limit: number;
    nowMs: Moment;
  }): Promise<{ items: NodeSummary[]; more: boolean }> {
    const { after, limit } = request;
    // No text lies between one and the same with a NUL behind it.
    const from = after === undefined ? "" : `${after}\0`;
    const rows = await this.#database.read(() => {
      const span = spanOf(this.#timeAt(request.nowMs));
      return this.#statements.nodesAfter.all({ from, ...span, limit: limit + 1 }) as NodeSummary[];
    });
    return { items: rows.slice(0, limit), more: rows.length > limit };
  }

  /** Clears away a little of what has expired; gives whether there may be more. */
  async tidy(moment: Moment): Promise<boolean> {
    const isUntidy = await this.#database.read(() =>
      this.#expired.findExpired(this.#timeAt(moment)),
    );
    if (!isUntidy) return false;
    await this.#database.write(() => this.#expired.tidy(this.#timeAt(moment)));
    return true;
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

  /** Read within a transaction: a call that waited for its turn takes effect now. */
  #timeAt(moment: Moment): number {
    return moment ?? this.#database.now();
  }

  /** The live session's row, its expiry moved as the contact says. */
  #enter(sessionId: string, at: Contact): SessionRow {
    const nowMs = this.#timeAt(at.nowMs);
    const row = this.#statements.session.get(sessionId) as SessionRow | undefined;
    if (row === undefined || nowMs > row.expiresAt) {
      const fate = this.#expired.fateOf(sessionId, nowMs);
      throw fate === "expired" ? sessionExpired(sessionId) : sessionNotFound(sessionId);
    }
    if (at.slides) this.#slide(row, laterExpiry(row, nowMs));
    return row;
  }

  #learn({ nodeId }: SessionRow, learns: readonly Learn[]): (number | null)[] {
    // Most commits have none, and to compute a tag takes longer than much else of them.
    return learns.length === 0 ? [] : applyLearns(this.#memories, nodeTag(nodeId), learns);
  }

  #slide(row: SessionRow, expiresAt: number): void {
    if (expiresAt <= row.expiresAt) return;
    this.#statements.setExpiry.run(expiresAt, row.session);
    row.expiresAt = expiresAt;
  }

  #current(row: SessionRow, ids: readonly string[]): CurrentSession {
    return { ...readRow(row, this.#retention), seen: this.#seen(row, ids) };
  }

  #seen(row: SessionRow, ids: readonly string[]): Map<string, JsonValue> {
    const seen = new Map<string, JsonValue>();
    for (const id of ids) {
      const reply = this.#statements.reply.get(row.session, id) as { json: string } | undefined;
      if (reply !== undefined) seen.set(id, parseJson(reply.json) as JsonValue);
    }
    return seen;
  }
}

/** Sliding: a contact never brings a session's end nearer. */
function laterExpiry(row: SessionRow, nowMs: number): number {
  return Math.max(row.expiresAt, nowMs + row.ttlSeconds * 1_000);
}

function spanOf(now: number): { now: number; nowEnds: number } {
  return { now, nowEnds: endOfSecond(now) };
}

function readCursor(cursor: string | undefined): [endsAt: number, sessionId: string] {
  if (cursor === undefined) return [0, ""];
  const [, endsAt, sessionId] = /^(\d{1,15}):([A-Za-z0-9.~-]+)$/.exec(cursor) ?? [];
  if (endsAt === undefined || sessionId === undefined) throw invalidCursor(undefined);
  return [Number(endsAt), sessionId];
}
