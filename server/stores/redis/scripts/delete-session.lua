-- Deletes a live session; an expired one stays remembered as expired.
-- KEYS[1…8] and ARGV[1..3]: session.lua, ARGV[2] is '0'; KEYS[9] string of the request, ARGV[4] ms for which it is
-- remembered that it has deleted the session, '0' if it has no id
-- Returns {'missing'} | {'expired'} | {'deleted'} | {'repeated'}
-- Cost: O(log sessions of the node); memory is freed in the background
local session, why = open_first(false)
if not session then
  if ARGV[4] ~= '0' and redis.call('EXISTS', KEYS[9]) == 1 then return {'repeated'} end
  return {why}
end
redis.call('UNLINK', unpack(KEYS, session.at, session.at + KEYS_PER_SESSION - 1))
redis.call('ZREM', KEYS[1], session.suffix)
if ARGV[4] ~= '0' then redis.call('SET', KEYS[9], '1', 'PX', ARGV[4]) end
return {'deleted'}
