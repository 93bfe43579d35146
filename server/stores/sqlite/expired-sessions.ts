import { TOMBSTONE_MS } from "../session-store.ts";
import type { SessionRow } from "./session-row.ts";
import type { Statements } from "./statements.ts";

/** How long what an expired session held stays: a call that was made before the expiry may still wait. */
const CLEARING_DELAY_MS = 60_000;

/** What one step clears away at most: calls wait for it, and sessions may hold little or much. */
const SESSIONS_PER_STEP = 50;
const STEP_MS = 3;
/** Nodes looked at for it at most. */
const NODES_PER_STEP = 200;

/** What becomes of sessions past their expiry. Every method belongs into a transaction of the caller's. */
export class ExpiredSessions {
  readonly #statements: Statements;
  /** The node whose expired sessions were last cleared away, besides the one in use. */
  #lastSwept = 0;
  /** The node before the one whose turn it is to be tidied. */
  #lastTidied = 0;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** What became of a session that is not live. */
  fateOf(sessionId: string, nowMs: number): "expired" | "missing" {
    const db = this.#statements;
    const row = db.session.get(sessionId) as SessionRow | undefined;
    const cleared = db.expiredSession.get(sessionId) as { forgetAt: number } | undefined;
    const forgetAt = row === undefined ? cleared?.forgetAt : row.expiresAt + TOMBSTONE_MS;
    return forgetAt !== undefined && nowMs <= forgetAt ? "expired" : "missing";
  }

  /** Clears away expired sessions and, a day later, their names: a few at each creation. */
  sweep(node: number, nowMs: number): void {
    const db = this.#statements;
    const other = (db.nodeAfter.get(this.#lastSwept) as { node: number } | undefined)?.node ?? 0;
    this.#lastSwept = other;
    for (const swept of new Set([node, other])) this.#clear(swept, nowMs, 4);
    db.forgetExpiredSessions.run(nowMs);
    db.forgetCreateRequests.run(nowMs);
    db.forgetDeletions.run(nowMs);
  }

  /** Whether `tidy` has something to do; goes on to the next nodes, a part of them at a time, where it has not. */
  findExpired(nowMs: number): boolean {
    const db = this.#statements;
    const nodes = db.nodesFrom.all(this.#lastTidied, NODES_PER_STEP) as { node: number }[];
    for (const { node } of nodes) {
      if (db.clearableSessions.get(node, nowMs - CLEARING_DELAY_MS, 1) !== undefined) return true;
      this.#lastTidied = node;
    }
    if (nodes.length < NODES_PER_STEP) this.#lastTidied = 0;
    return db.forgettable.get({ nowMs }) !== undefined;
  }

  /** Clears away some sessions of the node whose turn it is, and names that need not be remembered any more. */
  tidy(nowMs: number): void {
    const db = this.#statements;
    const next = db.nodeAfter.get(this.#lastTidied) as { node: number } | undefined;
    if (next !== undefined) this.#clear(next.node, nowMs, SESSIONS_PER_STEP);
    db.forgetExpiredSessions.run(nowMs);
    db.forgetCreateRequests.run(nowMs);
    db.forgetDeletions.run(nowMs);
  }

  #clear(node: number, nowMs: number, most: number): void {
    const db = this.#statements;
    const expired = db.clearableSessions.all(node, nowMs - CLEARING_DELAY_MS, most) as Pick<
      SessionRow,
      "session" | "sessionId" | "expiresAt"
    >[];
    const until = performance.now() + STEP_MS;
    for (const { session, sessionId, expiresAt } of expired) {
      this.remove(session);
      db.addExpiredSession.run(sessionId, expiresAt + TOMBSTONE_MS);
      if (performance.now() > until) return;
    }
  }

  /** Takes away a session with all that it holds. */
  remove(session: number): void {
    this.#statements.removeAllEntries.run(session);
    this.#statements.removeAllReplies.run(session);
    this.#statements.removeSession.run(session);
  }
}
