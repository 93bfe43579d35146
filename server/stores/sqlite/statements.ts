import type { DatabaseSync } from "node:sqlite";

/** Every statement of the session store, prepared once per connection. */
export function prepareStatements(db: DatabaseSync) {
  const columns = `s.session, s.session_id AS sessionId, n.node_id AS nodeId, s.created_at AS createdAt,
    s.ttl_seconds AS ttlSeconds, s.expires_at AS expiresAt, s.version, s.mark, s.time,
    s.metadata_json AS metadataJson, s.config_json AS configJson, s.percept_json AS perceptJson,
    s.next_position AS nextPosition, s.event_count AS eventCount, s.emotives_count AS emotivesCount,
    s.metadata_count AS metadataCount, s.vectors_count AS vectorsCount, s.reply_count AS replyCount,
    s.oldest_reply_at AS oldestReplyAt, s.reply_bytes AS replyBytes, s.oldest_reply_bytes AS oldestReplyBytes`;
  // Who ends after this second lives, who ended before it does not; of the others each row must be looked at.
  const countLive = `(SELECT count(*) FROM sessions s WHERE s.node = n.node AND s.ends_at > :nowEnds)
    + (SELECT count(*) FROM sessions s WHERE s.node = n.node AND s.ends_at = :nowEnds AND s.expires_at >= :now)`;
  return {
    addNode: db.prepare("INSERT OR IGNORE INTO nodes (node_id) VALUES (?)"),
    node: db.prepare("SELECT node FROM nodes WHERE node_id = ?"),
    nodesAfter: db.prepare(
      `SELECT node_id AS nodeId, ${countLive} AS activeSessions
       FROM nodes n WHERE node_id >= :from ORDER BY node_id LIMIT :limit`,
    ),
    createRequest: db.prepare(
      "SELECT session_id AS sessionId, digest FROM create_requests WHERE node = ? AND request_id = ? AND forget_at >= ?",
    ),
    addCreateRequest: db.prepare(
      "INSERT OR REPLACE INTO create_requests (node, request_id, session_id, forget_at, digest) VALUES (?, ?, ?, ?, ?)",
    ),
    forgetCreateRequests: db.prepare(
      `DELETE FROM create_requests WHERE (node, request_id) IN
         (SELECT node, request_id FROM create_requests WHERE forget_at < ? LIMIT 50)`,
    ),
    deletion: db.prepare(
      "SELECT 1 FROM deletions WHERE session_id = ? AND request_id = ? AND forget_at >= ?",
    ),
    addDeletion: db.prepare(
      "INSERT OR REPLACE INTO deletions (session_id, request_id, forget_at) VALUES (?, ?, ?)",
    ),
    forgetDeletions: db.prepare(
      `DELETE FROM deletions WHERE (session_id, request_id) IN
         (SELECT session_id, request_id FROM deletions WHERE forget_at < ? LIMIT 50)`,
    ),
    addSession: db.prepare(
      `INSERT INTO sessions (session_id, node, created_at, ttl_seconds, expires_at, mark, metadata_json, config_json)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    session: db.prepare(
      `SELECT ${columns} FROM sessions s JOIN nodes n USING (node) WHERE s.session_id = ?`,
    ),
    setExpiry: db.prepare("UPDATE sessions SET expires_at = ? WHERE session = ?"),
    updateSession: db.prepare(
      // By position: to look for each by its name takes as long as to write some.
      `UPDATE sessions SET version = version + 1, expires_at = ?, mark = ?, time = ?, config_json = ?,
         percept_json = ?, next_position = ?, event_count = ?, emotives_count = ?, metadata_count = ?,
         vectors_count = ?, reply_count = ?, oldest_reply_at = ?, reply_bytes = ?, oldest_reply_bytes = ?
       WHERE session = ?`,
    ),
    removeSession: db.prepare("DELETE FROM sessions WHERE session = ?"),
    sessionsAfter: db.prepare(
      `SELECT ${columns} FROM sessions s JOIN nodes n USING (node)
       WHERE n.node_id = :nodeId AND (s.ends_at, s.session_id) > (:endsAt, :sessionId)
         AND s.expires_at >= :now
       ORDER BY s.ends_at, s.session_id LIMIT :limit`,
    ),
    countSessions: db.prepare(
      `SELECT ${countLive} AS active FROM nodes n WHERE n.node_id = :nodeId`,
    ),
    entries: db.prepare(
      "SELECT json FROM entries WHERE session = ? AND kind = ? ORDER BY position",
    ),
    addEntry: db.prepare("INSERT INTO entries (session, kind, position, json) VALUES (?, ?, ?, ?)"),
    removeEntries: db.prepare("DELETE FROM entries WHERE session = ? AND kind = ?"),
    removeOldestEntries: db.prepare(
      `DELETE FROM entries WHERE session = :session AND kind = :kind AND position <=
         (SELECT position FROM entries WHERE session = :session AND kind = :kind
          ORDER BY position LIMIT 1 OFFSET :count - 1)`,
    ),
    removeAllEntries: db.prepare("DELETE FROM entries WHERE session = ?"),
    reply: db.prepare("SELECT json FROM replies WHERE session = ? AND id = ?"),
    addReply: db.prepare(
      "INSERT OR REPLACE INTO replies (session, id, position, at, bytes, json) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    oldestReplies: db.prepare(
      "SELECT position, at, bytes FROM replies WHERE session = ? ORDER BY position",
    ),
    removeRepliesBefore: db.prepare("DELETE FROM replies WHERE session = ? AND position < ?"),
    updateReplies: db.prepare(
      `UPDATE sessions SET next_position = :nextPosition, reply_count = :replyCount,
         oldest_reply_at = :oldestReplyAt, reply_bytes = :replyBytes, oldest_reply_bytes = :oldestReplyBytes
       WHERE session = :session`,
    ),
    removeAllReplies: db.prepare("DELETE FROM replies WHERE session = ?"),
    clearableSessions: db.prepare(
      `SELECT session, session_id AS sessionId, expires_at AS expiresAt FROM sessions
       WHERE node = ? AND ends_at < ? ORDER BY ends_at LIMIT ?`,
    ),
    addExpiredSession: db.prepare(
      "INSERT INTO expired_sessions (session_id, forget_at) VALUES (?, ?)",
    ),
    expiredSession: db.prepare(
      "SELECT forget_at AS forgetAt FROM expired_sessions WHERE session_id = ?",
    ),
    forgetExpiredSessions: db.prepare(
      `DELETE FROM expired_sessions WHERE session_id IN
         (SELECT session_id FROM expired_sessions WHERE forget_at < ? LIMIT 50)`,
    ),
    forgettable: db.prepare(
      `SELECT 1 FROM expired_sessions WHERE forget_at < :nowMs
       UNION ALL SELECT 1 FROM create_requests WHERE forget_at < :nowMs
       UNION ALL SELECT 1 FROM deletions WHERE forget_at < :nowMs LIMIT 1`,
    ),
    nodesFrom: db.prepare("SELECT node FROM nodes WHERE node > ? ORDER BY node LIMIT ?"),
    nodeAfter: db.prepare("SELECT node FROM nodes WHERE node > ? ORDER BY node LIMIT 1"),
  };
}

export type Statements = ReturnType<typeof prepareStatements>;
