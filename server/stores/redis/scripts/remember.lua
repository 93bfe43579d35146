-- What is remembered of calls, to answer their repeats: a hash `replies` of ids, and a list `ids` of
-- `<epoch ms> <bytes> <id>`, oldest first; bytes: of ids and replies, from the first ever up to this one.
-- A window is {replies, ids: keys, bytes: as in the newest entry, keep: ids, ms: for how long, now}.

-- A small hash is searched from end to end, for ids of one length at some 0.05 µs each: from so many on it is to be one
-- that is looked up in, which a value longer than hash-max-listpack-value makes of it for good.
local LOOKED_UP_FROM = 24
local function look_up(window)
  redis.call('HSET', window.replies, '', string.rep(' ', 256))
  redis.call('HDEL', window.replies, '')
end

-- Remembers values[first…last], ids and replies in turn; gives how many ids there are then, at least one.
local function remember(window, values, first, last)
  local count
  local now = string.format('%d', window.now)
  for from = first, last, 1000 do
    local to, entries = math.min(from + 999, last), {}
    for i = from, to, 2 do
      window.bytes = window.bytes + #values[i] + #values[i + 1]
      entries[#entries + 1] = string.format('%s %d %s', now, window.bytes, values[i])
    end
    redis.call('HSET', window.replies, unpack(values, from, to))
    count = redis.call('RPUSH', window.ids, unpack(entries))
    if count >= LOOKED_UP_FROM and count - #entries < LOOKED_UP_FROM then look_up(window) end
  end
  return count
end

local function figures_of(entry)
  local at, bytes = string.match(entry, '^(%d+) (%d*)')
  return tonumber(at) or 0, tonumber(bytes) or 0
end

local function with_slack(most, slack)
  return most + math.floor(most * slack / 16)
end

-- As remembered-window.ts says; `count`: this id and all newer ones, `slack`: how many sixteenths more may stay.
local function is_over(window, entry, count, slack)
  local at, bytes = figures_of(entry)
  local age = window.now - at
  return age > with_slack(window.ms, slack)
    or count > with_slack(window.keep, slack) and age > with_slack(ON_ITS_WAY_MS, slack)
    or count > with_slack(window.keep * REMEMBERED_AT_MOST, slack)
    or window.bytes - bytes > with_slack(REMEMBERED_BYTES, slack)
end

-- How many of the oldest are over, of `count`; by halves, since they may be thousands.
local function count_over(window, count)
  local first, last = 0, count - 1
  while first < last do
    local middle = math.floor((first + last) / 2)
    if is_over(window, redis.call('LINDEX', window.ids, middle), count - middle, 0) then
      first = middle + 1
    else
      last = middle
    end
  end
  return first
end

-- Forgets the oldest of `count` ids: some at a time, since to forget one for each that is remembered would cost every
-- call several commands more.
local function forget_old(window, count)
  if not is_over(window, redis.call('LINDEX', window.ids, 0), count, 1) then return end
  for left = count_over(window, count), 1, -1000 do
    local oldest = redis.call('LPOP', window.ids, math.min(1000, left))
    for i, entry in ipairs(oldest) do oldest[i] = string.match(entry, '[^ ]*$') end
    redis.call('HDEL', window.replies, unpack(oldest))
  end
end
