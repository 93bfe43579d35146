-- Deletes a live session; an expired one stays remembered as expired.
-- KEYS and ARGV[1..3]: session.lua
-- Returns {'missing'} | {'expired'} | {'deleted'}
-- Cost: O(log sessions of the node); memory is freed in the background
local expires, why = enter(false)
if not expires then return {why} end
redis.call('UNLINK', unpack(KEYS, 1, 7))
redis.call('ZREM', KEYS[8], SUFFIX)
return {'deleted'}
