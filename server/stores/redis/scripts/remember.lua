-- What is remembered of calls, to answer their repeats: a hash `replies` of ids, and a list `ids` of `<epoch ms> <id>`,
-- oldest first.

local function remember(replies, ids, id, reply, now)
  redis.call('HSET', replies, id, reply)
  return redis.call('RPUSH', ids, string.format('%.0f %s', now, id))
end

local function remembered_at(entry, now)
  return tonumber(string.match(entry, '^(%d+) ') or now)
end

-- How many of the oldest ids are older than `cutoff`.
local function count_older(ids, cutoff, now)
  for first = 0, math.huge, 100 do
    local entries = redis.call('LRANGE', ids, first, first + 99)
    for i, entry in ipairs(entries) do
      if remembered_at(entry, now) >= cutoff then return first + i - 1 end
    end
    if #entries < 100 then return first + #entries end
  end
end

local function forget_oldest(replies, ids, count)
  for left = count, 1, -1000 do
    local oldest = redis.call('LPOP', ids, math.min(1000, left))
    for i, entry in ipairs(oldest) do oldest[i] = string.match(entry, '^%d+ (.*)$') or entry end
    redis.call('HDEL', replies, unpack(oldest))
  end
end

-- Keeps of `count` ids the newest `keep`, and of these none that is older than `ms`: once there is a sixteenth more of
-- either, since to forget one for each that is remembered would cost every call several commands more.
local function forget_old(replies, ids, count, keep, ms, now)
  if count > keep + math.floor(keep / 16) then forget_oldest(replies, ids, count - keep) end
  local oldest = redis.call('LINDEX', ids, 0)
  if oldest and now - remembered_at(oldest, now) > ms + math.floor(ms / 16) then
    forget_oldest(replies, ids, count_older(ids, now - ms, now))
  end
end
