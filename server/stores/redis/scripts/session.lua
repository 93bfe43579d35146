-- Shared beginning of every script that works on one session; clock.lua stands before this.
-- KEYS[1] hash head, KEYS[2] list events, KEYS[3] list emotives, KEYS[4] list metadata,
-- KEYS[5] list vectors, KEYS[6] hash replies, KEYS[7] list ids, KEYS[8] zset of the node's sessions
-- ARGV[1] session suffix, ARGV[2] moment: clock.lua, ARGV[3] '1' if this contact moves the expiry
local SUFFIX, NOW = ARGV[1], moment(ARGV[2])

local function integer(number)
  return string.format('%.0f', number)
end

-- Keys live in steps: they are given more life than asked for, so that few contacts must renew it.
local function keep_alive(expires, lease)
  if expires + 1000 <= lease then return lease end
  lease = expires + 60000 + (expires - NOW) / 4
  local life = integer(lease - NOW)
  redis.call('HSET', KEYS[1], 'q', integer(lease))
  for i = 1, 7 do redis.call('PEXPIRE', KEYS[i], life) end
  redis.call('PEXPIRE', KEYS[8], integer(lease - NOW + TOMBSTONE_MS), 'GT')
  return lease
end

-- Without memory or disk left, contacts that only prolong a session's life leave it as it is, so that reads go on.
local FULL = {['OOM'] = true, ['MISCONF'] = true}

local function set_expiry(expires, tolerant)
  local reply = redis.pcall('ZADD', KEYS[8], integer(expires), SUFFIX)
  if type(reply) == 'number' then return true end
  if tolerant and FULL[string.match(reply.err, '^%u+')] then return false end
  error(reply)
end

-- Expiry to now + ttl seconds unless it is later already.
local function slide(expires, ttl, lease, tolerant)
  local extended = NOW + ttl * 1000
  if extended > expires and set_expiry(extended, tolerant) then
    expires = extended
    lease = keep_alive(expires, lease)
  end
  return expires, lease
end

-- Returns nil and 'missing' or 'expired'; or expiry, head {v, t, l, q, b, k}, lease. Cost O(log sessions of the node).
local function enter(slides)
  local score = redis.call('ZSCORE', KEYS[8], SUFFIX)
  if not score then return nil, 'missing' end
  local head = redis.call('HMGET', KEYS[1], 'v', 't', 'l', 'q', 'b', 'k')
  local expires = tonumber(score)
  if NOW > expires + TOMBSTONE_MS then return nil, 'missing' end
  if NOW > expires or not head[1] then return nil, 'expired' end
  local lease = tonumber(head[4])
  if slides then expires, lease = slide(expires, tonumber(head[3]), lease, true) end
  return expires, head, lease
end

local function replies_of(first, last)
  local seen = {}
  for start = first, last, 1000 do
    local ids = {unpack(ARGV, start, math.min(start + 999, last))}
    for i, reply in ipairs(redis.call('HMGET', KEYS[6], unpack(ids))) do
      if reply then
        seen[#seen + 1] = ids[i]
        seen[#seen + 1] = reply
      end
    end
  end
  return seen
end

-- {expiry, v, t, l, c, n, m, g, events kept, {id, reply, …}, k}
local function describe(expires, seen)
  local h = redis.call('HMGET', KEYS[1], 'v', 't', 'l', 'c', 'n', 'm', 'g', 'k')
  return {integer(expires), h[1], h[2], h[3], h[4], h[5], h[6] or '', h[7] or '',
          redis.call('LLEN', KEYS[2]), seen, h[8] or ''}
end
