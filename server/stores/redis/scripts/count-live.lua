-- How many of these sessions live.
-- KEYS heads of sessions of one node; ARGV[1] moment: clock.lua
-- Cost: O(sessions)
local now, count = moment(ARGV[1]), 0
for _, head in ipairs(KEYS) do
  if now <= tonumber(redis.call('HGET', head, 'x') or 0) then count = count + 1 end
end
return count
