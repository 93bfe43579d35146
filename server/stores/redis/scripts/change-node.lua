-- Makes a change of a node that no session makes, and enters it in the node's log.
-- KEYS[1…13] and functions: node.lua and remember.lua; KEYS[14] hash and KEYS[15] list of what is remembered of requests
-- ARGV[1] kind: 'correct', 'forget', 'finalize' or 'clear'; ARGV[2] mark, ARGV[3] change as JSON,
-- ARGV[4] pattern or ''; to correct: ARGV[5] frequency, ARGV[6] lines of emotives, ARGV[7] lines of metadata, each
-- after a '=' or '' to leave it as it is; ARGV[8] id of the request or '', ARGV[9] its digest, ARGV[10] moment: clock.lua,
-- ARGV[11] requests kept, ARGV[12] for how many ms
-- Returns {'unknown'}: no such pattern, nothing was written; or {'changed', patterns of the node, and of a
--   corrected one {position of the log, {name}, {birth}, {events}, {frequency}, {lines of emotives or false},
--   {lines of metadata or false}}}; or {'repeated', digest of the first request with this id, and as with it the rest}
-- Cost: O(symbols of the pattern); finalize O(symbols of the node); clear O(1), memory is freed in the background
local first = ARGV[8] ~= '' and redis.call('HGET', KEYS[14], ARGV[8])
if first then return {'repeated', unpack(cmsgpack.unpack(first))} end

open_node(1)
local pattern = ARGV[4]

-- Counts `learns` more of the pattern, and `patterns` more of the patterns that its symbols are in.
local function count_pattern(events, learns, patterns)
  local symbols, occurrences = {}, {}
  for _, event in ipairs(cjson.decode(events)) do
    for _, symbol in ipairs(event) do
      if not occurrences[symbol] then symbols[#symbols + 1] = symbol end
      occurrences[symbol] = (occurrences[symbol] or 0) + 1
    end
  end
  for _, symbol in ipairs(symbols) do count_symbol(symbol, occurrences[symbol], learns, patterns) end
  node.learns = node.learns + learns
end

local function set_lines(key, lines)
  if lines == '' then redis.call('HDEL', key, pattern) else redis.call('HSET', key, pattern, lines) end
end

local function given(i)
  return ARGV[i] ~= '' and string.sub(ARGV[i], 2)
end

local change = {}

function change.correct(frequency, events)
  append_log(ARGV[2], ARGV[3])
  local corrected = given(5)
  if corrected then
    redis.call('HSET', node.frequencies, pattern, corrected)
    count_pattern(events, tonumber(corrected) - tonumber(frequency), 0)
  end
  for i, key in ipairs({node.emotives, node.metadata}) do
    local lines = given(5 + i)
    if lines then set_lines(key, lines) end
  end
  return {
    position, {pattern}, {redis.call('ZSCORE', node.names, pattern)}, {events}, {corrected or frequency},
    {redis.call('HGET', node.emotives, pattern)}, {redis.call('HGET', node.metadata, pattern)},
  }
end

-- These two free memory before they take any, so that they work where none is left.
function change.forget(frequency, events)
  redis.call('ZREM', node.names, pattern)
  for _, key in ipairs({node.patterns, node.frequencies, node.emotives, node.metadata}) do
    redis.call('HDEL', key, pattern)
  end
  count_pattern(events, -tonumber(frequency), -1)
  node.count = node.count - 1
  node.bytes = node.bytes - #events
  append_log(ARGV[2], ARGV[3])
end

function change.clear()
  redis.call('UNLINK', unpack(KEYS, 2, 12))
  redis.call('HDEL', node.memory, 'd', 'z')
  node.count, node.learns, node.occurrences, node.bytes, node.dimension = 0, 0, 0, 0, nil
  append_log(ARGV[2], ARGV[3])
end

function change.finalize()
  append_log(ARGV[2], ARGV[3])
  if redis.call('COPY', node.members, node.finalized, 'REPLACE') == 0 then redis.call('UNLINK', node.finalized) end
  local found = string.format('{"number":%.0f,"patterns":%d,"symbols":%d}',
    node.number, node.count, redis.call('ZCARD', node.symbols))
  redis.call('HSET', node.memory, 'z', found)
end

local frequency, events
if ARGV[1] == 'correct' or ARGV[1] == 'forget' then
  frequency = redis.call('HGET', node.frequencies, pattern)
  if not frequency then return {'unknown'} end
  events = redis.call('HGET', node.patterns, pattern)
end
local corrected = change[ARGV[1]](frequency, events)
close_node()
if ARGV[8] ~= '' then
  local now = moment(ARGV[10])
  local newest = redis.call('LINDEX', KEYS[15], -1)
  local window = {
    replies = KEYS[14], ids = KEYS[15], bytes = newest and select(2, figures_of(newest)) or 0,
    keep = tonumber(ARGV[11]), ms = tonumber(ARGV[12]), now = now,
  }
  local reply = cmsgpack.pack({ARGV[9], node.count, corrected})
  forget_old(window, remember(window, {ARGV[8], reply}, 1, 2))
  for i = 14, 15 do redis.call('PEXPIRE', KEYS[i], ARGV[12]) end
end
return {'changed', node.count, corrected}
