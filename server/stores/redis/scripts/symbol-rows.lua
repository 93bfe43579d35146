-- Shared beginning of the scripts that read symbols.
-- KEYS[1] zset symbols, KEYS[2…4] hashes symbol frequencies, members, affinity

-- {symbols, frequencies, members, lines of affinity}, each an array in the order of the symbols
local function read_symbols(symbols)
  local columns = {symbols, {}, {}, {}}
  for first = 1, #symbols, 1000 do
    local last = math.min(first + 999, #symbols)
    for c = 2, 4 do
      local values = redis.call('HMGET', KEYS[c], unpack(symbols, first, last))
      for i = 1, last - first + 1 do columns[c][first + i - 1] = values[i] end
    end
  end
  return columns
end
