-- How many sessions of a node live.
-- KEYS[1] zset of the node's sessions; ARGV[1] moment: clock.lua
-- Cost: O(log sessions of the node)
return redis.call('ZCOUNT', KEYS[1], string.format('%.0f', moment(ARGV[1])), '+inf')
