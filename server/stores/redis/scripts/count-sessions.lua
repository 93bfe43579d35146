-- How many sessions of a node live, but for those that expire within this second.
-- KEYS[1] zset of the node's sessions; ARGV[1] moment: clock.lua, ARGV[2] how many of the others to pass over, ARGV[3] how
-- many of them to tell of
-- Returns {moment, sessions that live for sure, suffix of one of the others…}, of whom count-live.lua says whether they do
-- Cost: O(log sessions of the node + the others passed over or told of)
local now = moment(ARGV[1])
local function integer(number) return string.format('%.0f', number) end
local from, sure = integer(now), integer(now + SCORE_STEP_MS)
local others = redis.call('ZRANGE', KEYS[1], from, '(' .. sure, 'BYSCORE', 'LIMIT', ARGV[2], ARGV[3])
return {integer(now), redis.call('ZCOUNT', KEYS[1], sure, '+inf'), unpack(others)}
