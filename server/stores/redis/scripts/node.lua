-- Shared beginning of every script that changes a node's long-term memory. A change reads what it needs by
-- few commands and adds up what it counts; `close_node` writes the sums, once for all changes of a call.
local node, position
local counted = {symbols = {}, occurrences = {}, members = {}}

-- `first` and the twelve after it: index in KEYS of hash memory, zset names, hashes patterns, frequencies,
-- emotives, metadata, zset symbols, hashes symbol frequencies, members, affinity, vectors, finalized, stream log
local function open_node(first)
  local k = {unpack(KEYS, first, first + 12)}
  node = {
    memory = k[1], names = k[2], patterns = k[3], frequencies = k[4], emotives = k[5], metadata = k[6],
    symbols = k[7], symbol_frequencies = k[8], members = k[9], affinity = k[10], vectors = k[11],
    finalized = k[12], log = k[13],
  }
  local m = redis.call('HMGET', node.memory, 'p', 'f', 'o', 'b', 'd')
  node.number = tonumber(m[1] and string.match(m[1], '^%d+') or 0)
  node.learns, node.occurrences, node.bytes = tonumber(m[2] or 0), tonumber(m[3] or 0), tonumber(m[4] or 0)
  node.dimension = m[5] and tonumber(m[5])
  node.count = redis.call('ZCARD', node.names)
end

-- Comes before what takes memory, so that a change happens whole or not at all: a Redis that has none left refuses
-- the first write of a script, if that may take some, and no later one.
local function append_log(mark, change)
  node.number = node.number + 1
  position = string.format('%.0f-%s', node.number, mark)
  local kept = math.max(LOG_ENTRIES_KEPT, math.floor(LOG_ENTRIES_KEPT_PER_PATTERN * node.count))
  redis.call('XADD', node.log, 'MAXLEN', '~', kept, position, 'j', change)
end

-- `learns` more of a pattern with so many `occurrences` of the symbol, and `patterns` more that have it.
local function count_symbol(symbol, occurrences, learns, patterns)
  if not counted.occurrences[symbol] then
    counted.symbols[#counted.symbols + 1] = symbol
    counted.occurrences[symbol], counted.members[symbol] = 0, 0
  end
  counted.occurrences[symbol] = counted.occurrences[symbol] + occurrences * learns
  counted.members[symbol] = counted.members[symbol] + patterns
  node.occurrences = node.occurrences + occurrences * learns
end

-- Writes what was counted of symbols[first…last], at most 1,000; a symbol without patterns leaves.
local function write_symbols(first, last)
  local frequencies = redis.call('HMGET', node.symbol_frequencies, unpack(counted.symbols, first, last))
  local members = redis.call('HMGET', node.members, unpack(counted.symbols, first, last))
  local seen, joined, born, gone = {}, {}, {}, {}
  for i = 1, last - first + 1 do
    local symbol = counted.symbols[first + i - 1]
    local patterns = tonumber(members[i] or 0) + counted.members[symbol]
    if patterns == 0 then
      gone[#gone + 1] = symbol
    else
      seen[#seen + 1] = symbol
      seen[#seen + 1] = tonumber(frequencies[i] or 0) + counted.occurrences[symbol]
      if counted.members[symbol] ~= 0 then
        joined[#joined + 1] = symbol
        joined[#joined + 1] = patterns
      end
      if not members[i] then
        born[#born + 1] = 0
        born[#born + 1] = symbol
      end
    end
  end
  if #seen > 0 then redis.call('HSET', node.symbol_frequencies, unpack(seen)) end
  if #joined > 0 then redis.call('HSET', node.members, unpack(joined)) end
  if #born > 0 then redis.call('ZADD', node.symbols, unpack(born)) end
  if #gone > 0 then
    redis.call('HDEL', node.symbol_frequencies, unpack(gone))
    redis.call('HDEL', node.members, unpack(gone))
    redis.call('ZREM', node.symbols, unpack(gone))
  end
end

local function close_node()
  for first = 1, #counted.symbols, 1000 do write_symbols(first, math.min(first + 999, #counted.symbols)) end
  local fields = {'p', position, 'f', node.learns, 'o', node.occurrences, 'b', node.bytes}
  if node.dimension then
    fields[#fields + 1] = 'd'
    fields[#fields + 1] = node.dimension
  end
  redis.call('HSET', node.memory, unpack(fields))
end
