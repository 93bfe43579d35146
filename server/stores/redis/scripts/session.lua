-- Shared beginning of every script that works on sessions of one node; clock.lua stands before this.
-- KEYS[1] zset of the node's sessions: suffix, expiry; then for each session, from KEYS[at]: hash head, list events,
-- hash replies, list ids, and unless the call does without them: list emotives, list metadata, list vectors
-- ARGV[1] moment: clock.lua, ARGV[2] '1' if this contact moves expiries
local NOW = moment(ARGV[1])
local SLIDES = ARGV[2] == '1'
local FIRST_SESSION = 2
local STM, REPLIES, IDS, EMOTIVES, METADATA, VECTORS = 1, 2, 3, 4, 5, 6

local function integer(number)
  return string.format('%d', number)
end

-- Keys live in steps: they are given more life than asked for, so that few contacts must renew it.
local function is_lease_over(session, expires)
  return expires + 1000 > session.lease
end

local function keep_alive(session)
  if not is_lease_over(session, session.expires) then return end
  session.lease = session.expires + 60000 + math.floor((session.expires - NOW) / 4)
  local life = integer(session.lease - NOW)
  redis.call('HSET', KEYS[session.at], 'q', integer(session.lease))
  for i = session.at, session.at + KEYS_PER_SESSION - 1 do redis.call('PEXPIRE', KEYS[i], life) end
  redis.call('PEXPIRE', KEYS[1], integer(session.lease - NOW + TOMBSTONE_MS), 'GT')
end

-- Without memory or disk left, contacts that only prolong a session's life leave it as it is, so that reads go on.
local FULL = {['OOM'] = true, ['MISCONF'] = true}

-- Moves the expiry of each session to now + `ttl` seconds, unless it is later already. One whose keys would all have to
-- be renewed, and are not all here, stays as it is and is `short` of them.
local function slide(sessions, tolerant)
  local moved, scores = {}, {}
  for _, session in ipairs(sessions) do
    session.extended = NOW + session.ttl * 1000
    if session.is_partial and is_lease_over(session, session.extended) then
      session.is_short = true
    elseif session.extended > session.expires then
      moved[#moved + 1] = session
      scores[#scores + 1] = integer(session.extended)
      scores[#scores + 1] = session.suffix
    end
  end
  if #moved == 0 then return end
  local reply = redis.pcall('ZADD', KEYS[1], unpack(scores))
  if type(reply) ~= 'number' then
    if tolerant and FULL[string.match(reply.err, '^%u+')] then return end
    error(reply)
  end
  for _, session in ipairs(moved) do
    session.expires = session.extended
    keep_alive(session)
  end
end

-- The session whose keys begin at KEYS[at], by its score in the zset; or nil and 'missing' or 'expired'.
local function open(at, suffix, score)
  if not score then return nil, 'missing' end
  local head = redis.call('HMGET', KEYS[at], 'v', 'k', 'l', 'q', 'b')
  local expires = tonumber(score)
  if NOW > expires + TOMBSTONE_MS then return nil, 'missing' end
  if NOW > expires or not head[1] then return nil, 'expired' end
  return {
    at = at, suffix = suffix, expires = expires, version = head[1], mark = head[2] or '',
    ttl = tonumber(head[3]), lease = tonumber(head[4]), bytes = tonumber(head[5] or 0),
  }
end

-- The one session of the call, likewise; ARGV[3] is its suffix. Cost O(log sessions of the node).
local function open_first(tolerant)
  local session, why = open(FIRST_SESSION, ARGV[3], redis.call('ZSCORE', KEYS[1], ARGV[3]))
  if session and SLIDES then slide({session}, tolerant) end
  return session, why
end

-- What is remembered of its calls, for remember.lua.
local function window_of(session, keep, ms)
  return {
    replies = KEYS[session.at + REPLIES], ids = KEYS[session.at + IDS], bytes = session.bytes,
    keep = tonumber(keep), ms = tonumber(ms), now = NOW,
  }
end

local function replies_of(session, first, last)
  local seen = {}
  for start = first, last, 1000 do
    local ids = {unpack(ARGV, start, math.min(start + 999, last))}
    for i, reply in ipairs(redis.call('HMGET', KEYS[session.at + REPLIES], unpack(ids))) do
      if reply then
        seen[#seen + 1] = ids[i]
        seen[#seen + 1] = reply
      end
    end
  end
  return seen
end

-- {expiry, v, t, l, c, n, m, g, events kept, {id, reply, …}, k}
local function describe(session, seen)
  local h = redis.call('HMGET', KEYS[session.at], 'v', 't', 'l', 'c', 'n', 'm', 'g', 'k')
  return {integer(session.expires), h[1], h[2], h[3], h[4], h[5], h[6] or '', h[7] or '',
          redis.call('LLEN', KEYS[session.at + STM]), seen, h[8] or ''}
end
