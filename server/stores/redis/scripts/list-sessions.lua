-- A page of a node's live sessions, ordered by (score_of(expiry), suffix); some may have expired within this second.
-- KEYS[1] zset of the node's sessions; ARGV[1] moment: clock.lua, ARGV[2] items wanted,
-- ARGV[3] score and ARGV[4] suffix of the last item of the page before, both '' for the first page
-- Returns {suffix, score, …}, one item more than wanted if there are more
-- Cost: O(log sessions of the node + items)
local from = ARGV[3] == '' and string.format('%.0f', moment(ARGV[1])) or ARGV[3]
local start
if ARGV[4] ~= '' and redis.call('ZSCORE', KEYS[1], ARGV[4]) == ARGV[3] then
  start = redis.call('ZRANK', KEYS[1], ARGV[4]) + 1
else
  start = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. from)
end
return redis.call('ZRANGE', KEYS[1], start, start + tonumber(ARGV[2]), 'WITHSCORES')
