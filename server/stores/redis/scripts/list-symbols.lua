-- A page of the symbols of a node's patterns, in the order of their bytes.
-- KEYS and the reply: symbol-rows.lua; ARGV[1] '-' to begin or '(' and the last symbol of the page before,
-- ARGV[2] symbols wanted
-- Cost: O(log symbols of the node + symbols wanted)
return read_symbols(redis.call('ZRANGE', KEYS[1], ARGV[1], '+', 'BYLEX', 'LIMIT', 0, ARGV[2]))
