-- What nobody else has given a session's version; '' for those made before there were marks.
ALTER TABLE sessions ADD COLUMN mark TEXT NOT NULL DEFAULT '';
