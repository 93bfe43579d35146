-- Moves a session's expiry to now + ttl unless it is later already; a request seen before moves nothing.
-- KEYS and ARGV[1..3]: session.lua, before this stands remember.lua; ARGV[2] is '0'; ARGV[4] ttl in seconds, '' for the
-- session's own; ARGV[5] id of the request or '', ARGV[6] its digest, ARGV[7] replies kept, ARGV[8] for how many ms
-- Returns {'missing'} | {'expired'} | {'extended', expiry, the session's own ttl in seconds} | {'repeated', the first
--   reply as JSON}
-- Cost: O(log sessions of the node)
local session, why = open_first(false)
if not session then return {why} end
local first = ARGV[5] ~= '' and redis.call('HGET', KEYS[session.at + REPLIES], ARGV[5])
if first then return {'repeated', first} end

local own = session.ttl
if ARGV[4] ~= '' then session.ttl = tonumber(ARGV[4]) end
slide_alone(session, false)
if ARGV[5] ~= '' then
  local reply = string.format('["%s",[%d,%d]]', ARGV[6], session.expires, own)
  local window = window_of(session, ARGV[7], ARGV[8])
  forget_old(window, remember(window, {ARGV[5], reply}, 1, 2))
  redis.call('HSET', KEYS[session.at], 'b', integer(window.bytes))
  local life = integer(session.lease - NOW)
  redis.call('PEXPIRE', window.replies, life)
  redis.call('PEXPIRE', window.ids, life)
end
return {'extended', integer(session.expires), integer(own)}
