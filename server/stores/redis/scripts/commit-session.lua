-- Writes one change of a session if its version is still the one the change was computed from.
-- KEYS and ARGV[1..3]: session.lua
-- ARGV[4] base version, ARGV[5] new time, ARGV[6] '1' clears events, ARGV[7] '1' clears emotives and metadata,
-- ARGV[8] events kept, ARGV[9] emotives and metadata kept, ARGV[10] replies kept,
-- ARGV[11..16] numbers of: ids asked for, events, emotives, metadata, values of replies (id, reply),
--   values of head fields (name, value; value '' removes the field), then those values in this order
-- Returns {'missing'} | {'expired'} | {'committed', expiry} | {'stale', describe()}: then nothing was written
-- Cost: O(values written + log sessions of the node), whatever the session holds
local expires, head, lease = enter(ARGV[3] == '1')
if not expires then return {head} end

local first = 17
local function range(index)
  local start = first
  first = first + tonumber(ARGV[index])
  return start, first - 1
end

local seen = replies_of(range(11))
if head[1] ~= ARGV[4] or #seen > 0 then return {'stale', describe(expires, seen)} end

local life = integer(lease - NOW)
local function append(key, keep, start, last)
  if last < start then return 0 end
  local length
  for from = start, last, 1000 do
    length = redis.call('RPUSH', key, unpack(ARGV, from, math.min(from + 999, last)))
  end
  if length == last - start + 1 then redis.call('PEXPIRE', key, life) end
  -- Trimmed several at a time: one for one would cost every commit on a full session a command more.
  -- Who reads a list looks at its newest only.
  local surplus = length - tonumber(keep)
  if surplus > math.floor(keep / 16) then redis.call('LTRIM', key, surplus, -1) end
  return length
end

if ARGV[6] == '1' then redis.call('UNLINK', KEYS[2]) end
if ARGV[7] == '1' then redis.call('UNLINK', KEYS[3], KEYS[4]) end
append(KEYS[2], ARGV[8], range(12))
append(KEYS[3], ARGV[9], range(13))
append(KEYS[4], ARGV[9], range(14))

local start, last = range(15)
if last >= start then
  local keep = tonumber(ARGV[10])
  local count
  for i = start, last, 2 do
    redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1])
    count = redis.call('RPUSH', KEYS[6], ARGV[i])
  end
  if count == (last - start + 1) / 2 then
    redis.call('PEXPIRE', KEYS[5], life)
    redis.call('PEXPIRE', KEYS[6], life)
  end
  -- Forgotten several at a time, likewise.
  if count > keep + math.floor(keep / 16) then
    for from = 1, count - keep, 1000 do
      redis.call('HDEL', KEYS[5], unpack(redis.call('LPOP', KEYS[6], math.min(1000, count - keep - from + 1))))
    end
  end
end

start, last = range(16)
local fields = {'v', integer(tonumber(head[1]) + 1), 't', ARGV[5]}
for i = start, last, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    fields[#fields + 1] = ARGV[i]
    fields[#fields + 1] = ARGV[i + 1]
  end
end
redis.call('HSET', KEYS[1], unpack(fields))
return {'committed', integer(expires)}
