import { TOMBSTONE_MS } from "../session-store.ts";
import type { SessionRow } from "./session-row.ts";
import type { Statements } from "./statements.ts";

/** How long what an expired session held stays: a call that was made before the expiry may still wait. */
const CLEARING_DELAY_MS = 60_000;

/** What becomes of sessions past their expiry. Every method belongs into a transaction of the caller's. */
export class ExpiredSessions {
  readonly #statements: Statements;
  /** The node whose expired sessions were last cleared away, besides the one in use. */
  #lastSwept = 0;

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
    for (const swept of new Set([node, other])) {
      const expired = db.clearableSessions.all(swept, nowMs - CLEARING_DELAY_MS) as Pick<
        SessionRow,
        "session" | "sessionId" | "expiresAt"
      >[];
      for (const { session, sessionId, expiresAt } of expired) {
        this.remove(session);
        db.addExpiredSession.run(sessionId, expiresAt + TOMBSTONE_MS);
      }
    }
    db.forgetExpiredSessions.run(nowMs);
    db.forgetCreateRequests.run(nowMs);
  }

  /** Takes away a session with all that it holds. */
  remove(session: number): void {
    this.#statements.removeAllEntries.run(session);
    this.#statements.removeAllReplies.run(session);
    this.#statements.removeSession.run(session);
  }
}
