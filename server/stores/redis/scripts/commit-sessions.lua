-- Writes one change each of several sessions, and what it learned, if the session's version is still the one the
-- change was computed from. What becomes of one does not touch the others, but that where Redis is out of memory those
-- after one that clears may be written.
-- KEYS and ARGV[1..2]: session.lua, the sessions in the order of their commits; before this stands remember.lua; a
-- commit that learns comes alone, with KEYS[9…21]: node.lua. What defines learn_all stands before this: learns.lua, or
-- no-learns.lua, since most commits learn nothing and should not pay for it
-- ARGV[3] events kept, ARGV[4] emotives, metadata and vectors kept, of each, ARGV[5] replies kept, ARGV[6] for how many
-- ms, ARGV[7] number of commits; then for each:
--   suffix, base version as <version>-<mark>, mark of the new version, new time, shape, and as many values as it says
--   shape: '1' or '0' for each of: clears events, clears emotives and metadata, clears vectors, all keys of the session
--   are here; after a blank each, the numbers of: ids asked for, events, emotives, metadata, vectors, values of replies
--   (id, reply), values of head fields (name, value; value '' removes the field)
-- and after all of them what learns.lua takes
-- Returns for each commit one of
--   {'missing'} | {'expired'} | {'mismatch', expected, actual dimension of vectors}: then nothing was written
--   {'short'}, to be sent again with all keys of the session: likewise
--   {'failed', why}: a key of the session is of another type; the change may be half written
--   {'stale', describe()}: then nothing but the expiry
--   {'committed', expiry, frequencies of the patterns learned, false for none}, in place of which the expiry alone stands
--   where nothing is learned, since the driver takes a microsecond to read such a list
-- Cost: O(values written + commits · log sessions of the node + emotives and metadata of the patterns and affinities of
--   the symbols learned), whatever else sessions and node hold
local EVENTS_KEPT, OTHERS_KEPT = tonumber(ARGV[3]), tonumber(ARGV[4])

-- Read once for all commits that have it, as nearly all do.
local shapes = {}
local function shape_of(text)
  local shape = shapes[text]
  if shape then return shape end
  shape = {}
  for count in string.gmatch(text, ' (%d+)') do shape[#shape + 1] = tonumber(count) end
  shape.clears_events = string.sub(text, 1, 1) == '1'
  shape.clears_accumulators = string.sub(text, 2, 2) == '1'
  shape.clears_vectors = string.sub(text, 3, 3) == '1'
  shape.is_whole = string.sub(text, 4, 4) == '1'
  shapes[text] = shape
  return shape
end

-- A commit from ARGV[at]; starts[i], starts[i + 1] - 1: first and last of the shape's values, kind by kind.
local function read_commit(at, key)
  local shape = shape_of(ARGV[at + 4])
  local starts = {at + 5}
  for i = 1, #shape do starts[i + 1] = starts[i] + shape[i] end
  return {
    key = key, suffix = ARGV[at], base = ARGV[at + 1], mark = ARGV[at + 2], time = ARGV[at + 3],
    shape = shape, starts = starts,
  }
end

local commits, replies = {}, {}
local next_commit, next_key = 8, FIRST_SESSION
for i = 1, tonumber(ARGV[7]) do
  local commit = read_commit(next_commit, next_key)
  next_commit = commit.starts[8]
  next_key = next_key + (commit.shape.is_whole and KEYS_PER_SESSION or KEYS_IN_ANY_CASE)
  commits[i] = commit
end

-- What goes wrong with one commit is told of it alone.
local function attempt(i, step, ...)
  local ok, result = pcall(step, ...)
  if not ok then result = {'failed', type(result) == 'table' and result.err or tostring(result)} end
  replies[i] = result
end

local function append(session, place, keep, start, past)
  if start == past then return end
  local key, length = KEYS[session.at + place], nil
  for from = start, past - 1, 1000 do
    length = redis.call('RPUSH', key, unpack(ARGV, from, math.min(from + 999, past - 1)))
  end
  if length == past - start then redis.call('PEXPIRE', key, integer(session.lease - NOW)) end
  -- Trimmed several at a time: one for one would cost every commit on a full session a command more.
  -- Who reads a list looks at its newest only.
  local surplus = length - keep
  if surplus > math.floor(keep / 16) then redis.call('LTRIM', key, surplus, -1) end
end

local function remember_replies(session, start, past)
  if start == past then return end
  local window = window_of(session, ARGV[5], ARGV[6])
  local count = remember(window, ARGV, start, past - 1)
  session.bytes = window.bytes
  if count == (past - start) / 2 then
    local life = integer(session.lease - NOW)
    redis.call('PEXPIRE', window.replies, life)
    redis.call('PEXPIRE', window.ids, life)
  end
  forget_old(window, count)
end

local function write(commit, session, frequencies)
  local at, shape, starts = session.at, commit.shape, commit.starts
  if shape.clears_events then redis.call('UNLINK', KEYS[at + STM]) end
  if shape.clears_accumulators then redis.call('UNLINK', KEYS[at + EMOTIVES], KEYS[at + METADATA]) end
  if shape.clears_vectors then redis.call('UNLINK', KEYS[at + VECTORS]) end
  append(session, STM, EVENTS_KEPT, starts[2], starts[3])
  append(session, EMOTIVES, OTHERS_KEPT, starts[3], starts[4])
  append(session, METADATA, OTHERS_KEPT, starts[4], starts[5])
  append(session, VECTORS, OTHERS_KEPT, starts[5], starts[6])
  remember_replies(session, starts[6], starts[7])
  local fields = {
    'v', integer(session.version + 1), 'k', commit.mark, 't', commit.time, 'b', integer(session.bytes),
  }
  if session.former then
    fields[9], fields[10] = 'x', integer(session.expires)
  end
  for i = starts[7], starts[8] - 1, 2 do
    if ARGV[i + 1] == '' then
      redis.call('HDEL', KEYS[at], ARGV[i])
    else
      fields[#fields + 1] = ARGV[i]
      fields[#fields + 1] = ARGV[i + 1]
    end
  end
  redis.call('HSET', KEYS[at], unpack(fields))
  if frequencies then return {'committed', integer(session.expires), frequencies} end
  return session.expires
end

-- Finds the session and whether its version moved. Refused input moves nothing, not even the expiry.
local function prepare(commit)
  local session, why = open(commit.key, commit.suffix)
  if not session then return {why} end
  session.is_partial = not commit.shape.is_whole
  local seen = replies_of(session, commit.starts[1], commit.starts[2] - 1)
  if session.version .. '-' .. session.mark ~= commit.base or #seen > 0 then
    commit.seen = seen
  else
    local frequencies, expected, actual = learn_all(next_commit, commit.starts[6])
    if expected then return {'mismatch', expected, actual} end
    commit.frequencies = frequencies
  end
  commit.session = session
end

local function finish(commit)
  if commit.session.is_short then return {'short'} end
  if commit.seen then
    save_expiry(commit.session, true)
    return {'stale', describe(commit.session, commit.seen)}
  end
  return write(commit, commit.session, commit.frequencies)
end

local sessions = {}
for i, commit in ipairs(commits) do
  attempt(i, prepare, commit)
  if not replies[i] then sessions[#sessions + 1] = commit.session end
end
if SLIDES then slide(sessions, true) end
for i, commit in ipairs(commits) do
  if not replies[i] then attempt(i, finish, commit) end
end
return replies
