-- Shared beginning of every script by which sessions expire.

-- Epoch ms: those given, or, where that is '', those of Redis's own clock. It is one for all workers, it is read when
-- the call takes effect, however long that was on its way, and the keys' own ends go by it.
local function moment(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- By what the node's zset orders a session that expires at this moment: the end of the second. So a session that is
-- called many times in a second is moved there once, and most calls touch none but the session's own keys.
local SCORE_STEP_MS = 1000
local function score_of(expires)
  return math.ceil(expires / SCORE_STEP_MS) * SCORE_STEP_MS
end
