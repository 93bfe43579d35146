-- What is remembered of calls, to answer their repeats: a hash `replies` of ids, and a list `ids` of
-- `<epoch ms> <bytes> <id>`, oldest first; bytes: of ids and replies, from the first ever up to this one.
-- A window is {replies, ids: keys, bytes: as in the newest entry, keep: ids, ms: for how long, now}.

-- Remembers values[first…last], ids and replies in turn; gives how many ids there are then, at least one.
local function remember(window, values, first, last)
  local count
  for from = first, last, 1000 do
    local to, entries = math.min(from + 999, last), {}
    for i = from, to, 2 do
      window.bytes = window.bytes + #values[i] + #values[i + 1]
      entries[#entries + 1] = string.format('%.0f %.0f %s', window.now, window.bytes, values[i])
    end
    redis.call('HSET', window.replies, unpack(values, from, to))
    count = redis.call('RPUSH', window.ids, unpack(entries))
  end
  return count
end

local function read_entry(entry)
  local at, bytes, id = string.match(entry, '^(%d+) (%d*) ?(.*)$')
  return tonumber(at), tonumber(bytes) or 0, id
end

-- As remembered-window.ts says; `slack`: how many sixteenths more than that may stay.
local function is_over(window, entry, newer, slack)
  local at, bytes = read_entry(entry)
  local age = window.now - at
  local function over(figure, most) return figure > most + math.floor(most * slack / 16) end
  return over(age, window.ms)
    or over(newer + 1, window.keep) and over(age, ON_ITS_WAY_MS)
    or over(newer + 1, window.keep * REMEMBERED_AT_MOST)
    or over(window.bytes - bytes, REMEMBERED_BYTES)
end

-- How many of the oldest are over, of `count`.
local function count_over(window, count)
  for first = 0, count - 1, 100 do
    for i, entry in ipairs(redis.call('LRANGE', window.ids, first, first + 99)) do
      if not is_over(window, entry, count - first - i, 0) then return first + i - 1 end
    end
  end
  return count - 1
end

-- Forgets the oldest of `count` ids: some at a time, since to forget one for each that is remembered would cost every
-- call several commands more.
local function forget_old(window, count)
  if not is_over(window, redis.call('LINDEX', window.ids, 0), count - 1, 1) then return end
  for left = count_over(window, count), 1, -1000 do
    local oldest = redis.call('LPOP', window.ids, math.min(1000, left))
    for i, entry in ipairs(oldest) do oldest[i] = select(3, read_entry(entry)) end
    redis.call('HDEL', window.replies, unpack(oldest))
  end
end
