-- Shared beginning of every script that works on sessions of one node; clock.lua stands before this.
-- KEYS[1] zset of the node's sessions: suffix, score_of(expiry); then for each session, from KEYS[at]: hash head, list events,
-- hash replies, list ids, and unless the call does without them: list emotives, list metadata, list vectors
-- ARGV[1] moment: clock.lua, ARGV[2] '1' if this contact moves expiries
local NOW = moment(ARGV[1])
local SLIDES = ARGV[2] == '1'
local FIRST_SESSION = 2
local STM, REPLIES, IDS, EMOTIVES, METADATA, VECTORS = 1, 2, 3, 4, 5, 6

local function integer(number)
  return string.format('%d', number)
end

-- Keys live in steps: they are given more life than asked for, so that few contacts must renew it. A second is left of it,
-- in which the expiry may move without a look at it.
local function is_lease_over(session, expires)
  return expires + SCORE_STEP_MS > session.lease
end

local function keep_alive(session)
  if not is_lease_over(session, session.expires) then return end
  session.lease = session.expires + 60000 + math.floor((session.expires - NOW) / 4)
  local life = integer(session.lease - NOW)
  redis.call('HSET', KEYS[session.at], 'q', integer(session.lease))
  for i = session.at, session.at + KEYS_PER_SESSION - 1 do redis.call('PEXPIRE', KEYS[i], life) end
  redis.call('PEXPIRE', KEYS[1], integer(session.lease - NOW + SCORE_STEP_MS + TOMBSTONE_MS), 'GT')
end

-- Without memory or disk left, contacts that only prolong a session's life leave it as it is, so that reads go on.
local FULL = {['OOM'] = true, ['MISCONF'] = true}

-- Whether this reply says that something was written; fails where it was not, unless it need not be.
local function written(tolerant, reply)
  if type(reply) == 'number' then return true end
  if tolerant and FULL[string.match(reply.err, '^%u+')] then return false end
  error(reply)
end

-- Moves the expiry of each session to now + `ttl` seconds, unless it is later already; what of it stands in the session's
-- head is yet to be written, by save_expiry or with the rest. One whose keys would all have to be renewed, and are not
-- all here, stays as it is and is `short` of them.
local function slide(sessions, tolerant)
  local noted, scores = {}, {}
  for _, session in ipairs(sessions) do
    local extended = NOW + session.ttl * 1000
    if score_of(extended) > score_of(session.expires) then
      if session.is_partial and is_lease_over(session, extended) then
        session.is_short = true
      else
        noted[#noted + 1] = session
        session.extended = extended
        scores[#scores + 1] = integer(score_of(extended))
        scores[#scores + 1] = session.suffix
      end
    elseif extended > session.expires then
      session.former, session.expires = session.expires, extended
    end
  end
  if #noted == 0 or not written(tolerant, redis.pcall('ZADD', KEYS[1], unpack(scores))) then return end
  for _, session in ipairs(noted) do
    session.former, session.expires = session.expires, session.extended
    keep_alive(session)
  end
end

-- For a session of which nothing else is written.
local function save_expiry(session, tolerant)
  if not session.former then return end
  local reply = redis.pcall('HSET', KEYS[session.at], 'x', integer(session.expires))
  if not written(tolerant, reply) then session.expires = session.former end
end

-- Moves the expiry of one session, of which nothing else is written.
local function slide_alone(session, tolerant)
  slide({session}, tolerant)
  save_expiry(session, tolerant)
end

-- The session whose keys begin at KEYS[at]; or nil and 'missing' or 'expired'.
local function open(at, suffix)
  local head = redis.call('HMGET', KEYS[at], 'v', 'k', 'l', 'q', 'b', 'x')
  -- Without its head, what the node's zset tells is all that is left of it.
  local expires = tonumber(head[6] or redis.call('ZSCORE', KEYS[1], suffix))
  if not expires or NOW > score_of(expires) + TOMBSTONE_MS then return nil, 'missing' end
  if NOW > expires or not head[1] then return nil, 'expired' end
  return {
    at = at, suffix = suffix, expires = expires, version = head[1], mark = head[2] or '',
    ttl = tonumber(head[3]), lease = tonumber(head[4]), bytes = tonumber(head[5] or 0),
  }
end

-- The one session of the call, likewise; ARGV[3] is its suffix. Cost O(log sessions of the node).
local function open_first(tolerant)
  local session, why = open(FIRST_SESSION, ARGV[3])
  if session and SLIDES then slide_alone(session, tolerant) end
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
