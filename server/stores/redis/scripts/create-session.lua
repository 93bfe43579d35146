-- Creates a session; a request seen before gives what the first time made.
-- KEYS[1] hash head, KEYS[2] zset of the node's sessions, KEYS[3] string node id, KEYS[4] string of the request
-- ARGV[1] suffix, ARGV[2] moment: clock.lua, ARGV[3] ttl in seconds, ARGV[4] node id, ARGV[5] metadata or '',
-- ARGV[6] configuration or '', ARGV[7] ms for which the request is remembered, '0' if it has no id, ARGV[8] digest or '',
-- ARGV[9] mark of the first version
-- Returns {'created', expiry} | {'repeated', suffix of the first, its digest or ''} | {'taken', the other node's id}
-- Cost: O(log sessions of the node)
local now = moment(ARGV[2])
local function integer(number) return string.format('%.0f', number) end

redis.call('SETNX', KEYS[3], ARGV[4])
local owner = redis.call('GET', KEYS[3])
if owner ~= ARGV[4] then return {'taken', owner} end

local earlier = ARGV[7] ~= '0' and redis.call('GET', KEYS[4])
if earlier then return {'repeated', string.match(earlier, '^(%S+) ?(%S*)$')} end

-- Forget what expired more than a day ago, a little at a time.
local forgotten = redis.call('ZRANGE', KEYS[2], '-inf', '(' .. integer(now - TOMBSTONE_MS), 'BYSCORE', 'LIMIT', 0, 50)
if #forgotten > 0 then redis.call('ZREM', KEYS[2], unpack(forgotten)) end

local expires = now + tonumber(ARGV[3]) * 1000
local lease = expires + 60000
local fields = {'v', '0', 't', '0', 'l', ARGV[3], 'q', integer(lease), 'c', integer(now), 'n', ARGV[4]}
for _, field in ipairs({{'m', 5}, {'g', 6}, {'k', 9}}) do
  local name, value = field[1], ARGV[field[2]]
  if value ~= '' then
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], integer(lease - now))
local life = integer(lease - now + TOMBSTONE_MS)
local first = redis.call('EXISTS', KEYS[2]) == 0
redis.call('ZADD', KEYS[2], integer(expires), ARGV[1])
if first then redis.call('PEXPIRE', KEYS[2], life) else redis.call('PEXPIRE', KEYS[2], life, 'GT') end
if ARGV[7] ~= '0' then redis.call('SET', KEYS[4], ARGV[1] .. ' ' .. ARGV[8], 'PX', ARGV[7]) end
return {'created', integer(expires)}
