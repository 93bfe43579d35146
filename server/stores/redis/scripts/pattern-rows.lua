-- Shared beginning of the scripts that read patterns.
-- KEYS[1] hash memory, KEYS[2] zset names, KEYS[3…6] hashes patterns, frequencies, emotives, metadata

-- {births, events, frequencies, lines of emotives, lines of metadata} of these patterns, each an array in their order
local function read_patterns(names)
  local columns = {{}, {}, {}, {}, {}}
  for first = 1, #names, 1000 do
    local some = {unpack(names, first, math.min(first + 999, #names))}
    local read = {redis.call('ZMSCORE', KEYS[2], unpack(some))}
    for i = 3, 6 do read[i - 1] = redis.call('HMGET', KEYS[i], unpack(some)) end
    for c, column in ipairs(columns) do
      for i = 1, #some do column[first + i - 1] = read[c][i] end
    end
  end
  return columns
end
