-- Shared beginning of every script by which sessions expire.

-- Epoch ms: those given, or, where that is '', those of Redis's own clock. It is one for all workers, it is read when
-- the call takes effect, however long that was on its way, and the keys' own ends go by it.
local function moment(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
