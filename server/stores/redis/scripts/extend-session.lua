-- Moves a session's expiry to now + ttl unless it is later already.
-- KEYS and ARGV[1..2]: session.lua, ARGV[3] unused; ARGV[4] ttl in seconds, '' for the session's own
-- Returns {'missing'} | {'expired'} | {'extended', expiry, the session's own ttl in seconds}
-- Cost: O(log sessions of the node)
local expires, head, lease = enter(false)
if not expires then return {head} end
expires = slide(expires, tonumber(ARGV[4] ~= '' and ARGV[4] or head[3]), lease)
return {'extended', integer(expires), head[3]}
