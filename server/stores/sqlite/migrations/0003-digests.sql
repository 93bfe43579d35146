-- Of what was asked for with the request; null for requests made before there were digests.
ALTER TABLE create_requests ADD COLUMN digest TEXT;

-- A reply to a call that has content stands beside the digest of that, which is not known of those remembered so far.
UPDATE replies SET json = '[null,' || json || ']' WHERE substr(id, 1, 1) IN ('o', 's');
UPDATE replies SET json =
  '[null,' || (SELECT config_json FROM sessions WHERE sessions.session = replies.session) || ']'
WHERE substr(id, 1, 1) = 'g';
