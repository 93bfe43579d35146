-- Enters a node in the list of all.
-- KEYS[1] zset of nodes; ARGV[1] node id
-- Returns 1 if it was not there before, else 0. Cost: O(log nodes)
return redis.call('ZADD', KEYS[1], 0, ARGV[1])
