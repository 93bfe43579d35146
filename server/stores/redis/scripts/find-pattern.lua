-- One pattern of a node.
-- KEYS: pattern-rows.lua; ARGV[1] name
-- Returns {position of the log or false, names, births, events, frequencies, lines of emotives, lines of metadata},
--   each array empty where there is no such pattern
-- Cost: O(1)
local names = redis.call('HEXISTS', KEYS[4], ARGV[1]) == 1 and {ARGV[1]} or {}
return {redis.call('HGET', KEYS[1], 'p'), names, unpack(read_patterns(names))}
