-- Moves a session's expiry to now + ttl unless it is later already; a request seen before moves nothing.
-- KEYS and ARGV[1..2]: session.lua, before this stands remember.lua; ARGV[3] unused; ARGV[4] ttl in seconds, '' for the
-- session's own; ARGV[5] id of the request or '', ARGV[6] its digest, ARGV[7] replies kept, ARGV[8] for how many ms
-- Returns {'missing'} | {'expired'} | {'extended', expiry, the session's own ttl in seconds} | {'repeated', the first
--   reply as JSON}
-- Cost: O(log sessions of the node)
local expires, head, lease = enter(false)
if not expires then return {head} end
local first = ARGV[5] ~= '' and redis.call('HGET', KEYS[6], ARGV[5])
if first then return {'repeated', first} end

expires, lease = slide(expires, tonumber(ARGV[4] ~= '' and ARGV[4] or head[3]), lease)
if ARGV[5] ~= '' then
  local reply = string.format('["%s",[%.0f,%s]]', ARGV[6], expires, head[3])
  local window = {
    replies = KEYS[6], ids = KEYS[7], bytes = tonumber(head[5] or 0),
    keep = tonumber(ARGV[7]), ms = tonumber(ARGV[8]), now = NOW,
  }
  forget_old(window, remember(window, {ARGV[5], reply}, 1, 2))
  redis.call('HSET', KEYS[1], 'b', integer(window.bytes))
  for i = 6, 7 do redis.call('PEXPIRE', KEYS[i], integer(lease - NOW)) end
end
return {'extended', integer(expires), head[3]}
