-- The end of the second in which a session expires, by which sessions are found and ordered: in a second a session may
-- be used many times, and each place that it takes in the index costs a commit two pages. The triggers keep it, also
-- beside workers of a release that does not know it; an expiry never comes nearer.
ALTER TABLE sessions ADD COLUMN ends_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET ends_at = (expires_at + 999) / 1000 * 1000;

DROP INDEX sessions_by_expiry;
CREATE INDEX sessions_by_end ON sessions (node, ends_at, session_id);

CREATE TRIGGER session_begun AFTER INSERT ON sessions
BEGIN
  UPDATE sessions SET ends_at = (NEW.expires_at + 999) / 1000 * 1000 WHERE session = NEW.session;
END;

CREATE TRIGGER session_prolonged AFTER UPDATE OF expires_at ON sessions
WHEN NEW.expires_at > OLD.ends_at
BEGIN
  UPDATE sessions SET ends_at = (NEW.expires_at + 999) / 1000 * 1000 WHERE session = NEW.session;
END;
