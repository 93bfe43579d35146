-- Times in epoch ms; texts named json hold JSON.
CREATE TABLE nodes (
  node INTEGER PRIMARY KEY,
  node_id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE sessions (
  session INTEGER PRIMARY KEY AUTOINCREMENT,
  session_id TEXT NOT NULL UNIQUE,
  node INTEGER NOT NULL REFERENCES nodes,
  created_at INTEGER NOT NULL,
  ttl_seconds INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  time INTEGER NOT NULL DEFAULT 0,
  metadata_json TEXT NOT NULL,
  config_json TEXT NOT NULL,
  percept_json TEXT,
  -- Position of the next entry or reply: positions only rise, so they order both.
  next_position INTEGER NOT NULL DEFAULT 0,
  event_count INTEGER NOT NULL DEFAULT 0,
  emotives_count INTEGER NOT NULL DEFAULT 0,
  metadata_count INTEGER NOT NULL DEFAULT 0,
  reply_count INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX sessions_by_expiry ON sessions (node, expires_at, session_id);

-- Expired sessions that were cleared away: told from those that never were, until forget_at.
CREATE TABLE expired_sessions (
  session_id TEXT PRIMARY KEY,
  forget_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX expired_sessions_by_age ON expired_sessions (forget_at);

-- kind: 0 event, 1 emotives, 2 metadata
CREATE TABLE entries (
  session INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  position INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (session, kind, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE replies (
  session INTEGER NOT NULL,
  id TEXT NOT NULL,
  position INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (session, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX replies_by_position ON replies (session, position);

-- Which session a creation made, so that a repeat of the request gives the same one.
CREATE TABLE create_requests (
  node INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  forget_at INTEGER NOT NULL,
  PRIMARY KEY (node, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX create_requests_by_age ON create_requests (forget_at);

CREATE TABLE workers (
  worker_id TEXT PRIMARY KEY,
  report TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
