-- How many sessions of a node live.
-- KEYS[1] zset of the node's sessions; ARGV[1] moment: clock.lua
-- Returns {how many live for sure, suffix…}: the heads of the others say whether they do, for count-live.lua
-- Cost: O(log sessions of the node + sessions that expire within this second and the next)
local now = moment(ARGV[1])
local from, sure = string.format('%.0f', now), string.format('%.0f', now + SCORE_STEP_MS)
local found = redis.call('ZRANGE', KEYS[1], from, '(' .. sure, 'BYSCORE')
table.insert(found, 1, redis.call('ZCOUNT', KEYS[1], sure, '+inf'))
return found
