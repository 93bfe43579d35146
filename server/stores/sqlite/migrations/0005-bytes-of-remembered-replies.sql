-- Bytes of a session's ids and replies, from the first ever up to this one; those remembered so far count as none.
ALTER TABLE replies ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;

-- The same as the newest reply has it, and as the oldest that is kept.
ALTER TABLE sessions ADD COLUMN reply_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN oldest_reply_bytes INTEGER NOT NULL DEFAULT 0;

-- Of requests that changed a node likewise, and how many are kept.
ALTER TABLE node_requests ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE memories ADD COLUMN request_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE memories ADD COLUMN request_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE memories SET request_count = (SELECT count(*) FROM node_requests r WHERE r.memory = memories.memory);
