-- Creates sessions of one node; a request seen before, in this call too, gives what the first time made.
-- KEYS[1] zset of the node's sessions, KEYS[2] string node id; then for each session: hash head, string of the request
-- ARGV[1] moment: clock.lua, ARGV[2] node id, ARGV[3] number of sessions; then for each:
--   suffix, ttl in seconds, metadata or '', configuration or '', ms for which the request is remembered or '0' if it has
--   no id, digest or '', mark of the first version
-- Returns for each {'created', expiry} | {'repeated', suffix of the first, its digest or ''} | {'taken', the other node's
-- id} | {'failed', why}
-- Cost: O(sessions · log sessions of the node)
local VALUES_PER_SESSION = 7
local now = moment(ARGV[1])
local node_id, count = ARGV[2], tonumber(ARGV[3])
local function integer(number) return string.format('%.0f', number) end

redis.call('SETNX', KEYS[2], node_id)
local owner = redis.call('GET', KEYS[2])

-- Forget what expired more than a day ago, a little at a time.
local forgotten = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. integer(now - TOMBSTONE_MS), 'BYSCORE', 'LIMIT', 0, 50)
if #forgotten > 0 then redis.call('ZREM', KEYS[1], unpack(forgotten)) end

local is_first = redis.call('EXISTS', KEYS[1]) == 0
local longest_lease = 0

local function create(head, request, at)
  if owner ~= node_id then return {'taken', owner} end
  local suffix, ttl, metadata, config, remembered, digest, mark = unpack(ARGV, at, at + VALUES_PER_SESSION - 1)
  local earlier = remembered ~= '0' and redis.call('GET', request)
  if earlier then return {'repeated', string.match(earlier, '^(%S+) ?(%S*)$')} end
  local expires = now + tonumber(ttl) * 1000
  local lease = expires + 60000
  local fields = {
    'v', '0', 't', '0', 'l', ttl, 'q', integer(lease), 'x', integer(expires), 'c', integer(now), 'n', node_id,
  }
  for _, field in ipairs({{'m', metadata}, {'g', config}, {'k', mark}}) do
    if field[2] ~= '' then
      fields[#fields + 1] = field[1]
      fields[#fields + 1] = field[2]
    end
  end
  redis.call('HSET', head, unpack(fields))
  redis.call('PEXPIRE', head, integer(lease - now))
  redis.call('ZADD', KEYS[1], integer(score_of(expires)), suffix)
  longest_lease = math.max(longest_lease, lease)
  if remembered ~= '0' then redis.call('SET', request, suffix .. ' ' .. digest, 'PX', remembered) end
  return {'created', integer(expires)}
end

-- What goes wrong with one session is told of it alone.
local replies = {}
for i = 1, count do
  local ok, reply = pcall(create, KEYS[2 * i + 1], KEYS[2 * i + 2], 4 + (i - 1) * VALUES_PER_SESSION)
  if not ok then reply = {'failed', type(reply) == 'table' and reply.err or tostring(reply)} end
  replies[i] = reply
end

if longest_lease > 0 then
  local life = integer(longest_lease - now + SCORE_STEP_MS + TOMBSTONE_MS)
  if is_first then redis.call('PEXPIRE', KEYS[1], life) else redis.call('PEXPIRE', KEYS[1], life, 'GT') end
end
return replies
