-- What a node's long-term memory amounts to.
-- KEYS[1] hash memory, KEYS[2] zset names, KEYS[3] zset symbols, KEYS[4] hash vectors
-- Returns {patterns, symbols, vectors, learns of all patterns, symbols of all as often as learned, bytes of events};
--   the last three false in a node never written to
-- Cost: O(1)
return {
  redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3]), redis.call('HLEN', KEYS[4]),
  unpack(redis.call('HMGET', KEYS[1], 'f', 'o', 'b')),
}
