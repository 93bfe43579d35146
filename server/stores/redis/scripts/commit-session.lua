-- Writes one change of a session, and what it learned, if the session's version is still the one the change was
-- computed from.
-- KEYS and ARGV[1..3]: session.lua; before this stands remember.lua; KEYS[9…21], only with a commit that learns: node.lua. What defines learn_all
-- stands before this: learns.lua, or no-learns.lua, since most commits learn nothing and should not pay for it
-- ARGV[4] base version as <version>-<mark>, ARGV[5] new time, ARGV[6] '1' clears events, ARGV[7] '1' clears emotives
-- and metadata,
-- ARGV[8] '1' clears vectors, ARGV[9] events kept, ARGV[10] emotives, metadata and vectors kept, of each,
-- ARGV[11] replies kept, ARGV[12] for how many ms, ARGV[13..19] numbers of: ids asked for, events, emotives, metadata, vectors, values of
--   replies (id, reply), values of head fields (name, value; value '' removes the field),
-- then those values in this order, and what learns.lua takes
-- Returns {'missing'} | {'expired'} | {'mismatch', expected, actual dimension of vectors}: then nothing was written;
--   {'stale', describe()}: then nothing but the expiry; or {'committed', expiry, and per learn the pattern's
--   frequency, false if it made none}
-- Cost: O(values written + log sessions of the node + emotives and metadata of the patterns and affinities of the
--   symbols learned), whatever else session and node hold
local expires, head, lease = enter(false)
if not expires then return {head} end

local starts = {20}
for i = 13, 19 do starts[i - 11] = starts[i - 12] + ARGV[i] end
local function range(index)
  return starts[index - 12], starts[index - 11] - 1
end

local seen = replies_of(range(13))
local is_stale = head[1] .. '-' .. (head[6] or '') ~= ARGV[4] or #seen > 0
local frequencies, expected, actual
if not is_stale then
  frequencies, expected, actual = learn_all(starts[8], starts[6])
  -- Refused input moves nothing, not even the expiry.
  if not frequencies then return {'mismatch', expected, actual} end
end
if ARGV[3] == '1' then expires, lease = slide(expires, tonumber(head[3]), lease, true) end
if is_stale then return {'stale', describe(expires, seen)} end

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
if ARGV[8] == '1' then redis.call('UNLINK', KEYS[5]) end
append(KEYS[2], ARGV[9], range(14))
append(KEYS[3], ARGV[10], range(15))
append(KEYS[4], ARGV[10], range(16))
append(KEYS[5], ARGV[10], range(17))

local start, last = range(18)
local window = {
  replies = KEYS[6], ids = KEYS[7], bytes = tonumber(head[5] or 0),
  keep = tonumber(ARGV[11]), ms = tonumber(ARGV[12]), now = NOW,
}
if last >= start then
  local count = remember(window, ARGV, start, last)
  if count == (last - start + 1) / 2 then
    redis.call('PEXPIRE', KEYS[6], life)
    redis.call('PEXPIRE', KEYS[7], life)
  end
  forget_old(window, count)
end

start, last = range(19)
local fields = {'v', integer(tonumber(head[1]) + 1), 't', ARGV[5], 'b', integer(window.bytes)}
for i = start, last, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    fields[#fields + 1] = ARGV[i]
    fields[#fields + 1] = ARGV[i + 1]
  end
end
redis.call('HSET', KEYS[1], unpack(fields))
return {'committed', integer(expires), frequencies}
