-- When each reply was remembered, in epoch ms; those remembered so far count as new.
ALTER TABLE replies ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE replies SET at = CAST(unixepoch('subsec') * 1000 AS INTEGER);

-- When the oldest of a session's replies was remembered; 0 while there is none.
ALTER TABLE sessions ADD COLUMN oldest_reply_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET oldest_reply_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE reply_count > 0;

-- Which request deleted a session, so that its repeat is told so.
CREATE TABLE deletions (
  session_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  forget_at INTEGER NOT NULL,
  PRIMARY KEY (session_id, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX deletions_by_age ON deletions (forget_at);

-- Requests that changed a node, with what they were answered; number is that of the change in the node's log.
CREATE TABLE node_requests (
  memory INTEGER NOT NULL,
  id TEXT NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  digest TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (memory, id)
) STRICT;

CREATE INDEX node_requests_by_number ON node_requests (memory, number);
