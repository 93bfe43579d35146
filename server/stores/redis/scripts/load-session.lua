-- Reads a session, and prolongs its life if asked to.
-- KEYS and ARGV[1..3]: session.lua; ARGV[4] parts: letters of 's'tm, 'e'motives, 'm'etadata, 'v'ectors,
-- 'p'ercept; ARGV[5…] ids asked for
-- Returns {'missing'} | {'expired'} | {'current', describe(), events, emotives, metadata, vectors, percept}
-- Cost: O(ids + length of the parts asked for)
local expires, why = enter(ARGV[3] == '1')
if not expires then return {why} end
local function part(letter) return string.find(ARGV[4], letter, 1, true) end
return {
  'current',
  describe(expires, replies_of(5, #ARGV)),
  part('s') and redis.call('LRANGE', KEYS[2], 0, -1) or {},
  part('e') and redis.call('LRANGE', KEYS[3], 0, -1) or {},
  part('m') and redis.call('LRANGE', KEYS[4], 0, -1) or {},
  part('v') and redis.call('LRANGE', KEYS[5], 0, -1) or {},
  part('p') and redis.call('HGET', KEYS[1], 'p') or '',
}
