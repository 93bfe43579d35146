-- A page of a node's patterns in the order of their birth.
-- KEYS: pattern-rows.lua; ARGV[1] birth of the last pattern of the page before, ARGV[2] patterns wanted
-- Returns {position of the log or false, names, births, events, frequencies, lines of emotives, lines of metadata}:
--   one name more than wanted if there are more, the rest of as many as wanted
-- Cost: O(log patterns of the node + patterns wanted)
local names = redis.call('ZRANGE', KEYS[2], '(' .. ARGV[1], '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[2] + 1)
local wanted = {}
for i = 1, math.min(#names, tonumber(ARGV[2])) do wanted[i] = names[i] end
return {redis.call('HGET', KEYS[1], 'p'), names, unpack(read_patterns(wanted))}
