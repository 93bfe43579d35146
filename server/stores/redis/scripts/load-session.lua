-- Reads a session, and prolongs its life if asked to.
-- KEYS and ARGV[1..3]: session.lua; ARGV[4] parts: letters of 's'tm, 'e'motives, 'm'etadata, 'v'ectors,
-- 'p'ercept; ARGV[5…] ids asked for
-- Returns {'missing'} | {'expired'} | {'current', describe(), events, emotives, metadata, vectors, percept}
-- Cost: O(ids + length of the parts asked for)
local session, why = open_first(true)
if not session then return {why} end
local function is_asked(letter) return string.find(ARGV[4], letter, 1, true) end
local function list(letter, place)
  return is_asked(letter) and redis.call('LRANGE', KEYS[session.at + place], 0, -1) or {}
end
return {
  'current',
  describe(session, replies_of(session, 5, #ARGV)),
  list('s', STM),
  list('e', EMOTIVES),
  list('m', METADATA),
  list('v', VECTORS),
  is_asked('p') and redis.call('HGET', KEYS[session.at], 'p') or '',
}
