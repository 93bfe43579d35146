-- What a session's commit learns: node.lua stands before this, commit-sessions.lua follows.

-- What the learns of this commit make of affinities, written once after all of them.
local affinities = {symbols = {}, by_symbol = {}}

local function last_lines(lines, count)
  local starts = {1}
  for start in string.gmatch(lines, '\n()') do starts[#starts + 1] = start end
  return #starts <= count and lines or string.sub(lines, starts[#starts - count + 1])
end

local function join_lines(some, more)
  if some == '' or more == '' then return some .. more end
  return some .. '\n' .. more
end

local function unite_lines(some, more)
  local united, known = {}, {}
  for line in string.gmatch(join_lines(some, more), '[^\n]+') do
    if not known[line] then
      known[line] = true
      united[#united + 1] = line
    end
  end
  return table.concat(united, '\n')
end

-- Sums in the order of their emotives' first; an emotive is its JSON text.
local function read_affinity(lines)
  local affinity = {emotives = {}, values = {}}
  for sum, emotive in string.gmatch(lines or '', '(%S+) ([^\n]*)') do
    affinity.emotives[#affinity.emotives + 1] = emotive
    affinity.values[emotive] = tonumber(sum)
  end
  return affinity
end

local function affinity_lines(affinity)
  local lines = {}
  for i, emotive in ipairs(affinity.emotives) do
    -- 17 digits are every bit of a double.
    lines[i] = string.format('%.17g %s', affinity.values[emotive], emotive)
  end
  return table.concat(lines, '\n')
end

-- Reads the affinities of these symbols, unless a change of this call did.
local function need_affinities(symbols)
  local missing = {}
  for _, symbol in ipairs(symbols) do
    if not affinities.by_symbol[symbol] then missing[#missing + 1] = symbol end
  end
  for first = 1, #missing, 1000 do
    local last = math.min(first + 999, #missing)
    for i, lines in ipairs(redis.call('HMGET', node.affinity, unpack(missing, first, last))) do
      local symbol = missing[first + i - 1]
      affinities.by_symbol[symbol] = read_affinity(lines)
      affinities.symbols[#affinities.symbols + 1] = symbol
    end
  end
end

local function add_affinity(affinity, emotive, value)
  if not affinity.values[emotive] then
    affinity.emotives[#affinity.emotives + 1] = emotive
    affinity.values[emotive] = 0
  end
  local sum = affinity.values[emotive] + value
  affinity.values[emotive] = math.max(-1.7976931348623157e308, math.min(1.7976931348623157e308, sum))
end

local function write_affinities()
  for first = 1, #affinities.symbols, 1000 do
    local fields = {}
    for i = first, math.min(first + 999, #affinities.symbols) do
      local symbol = affinities.symbols[i]
      fields[#fields + 1] = symbol
      fields[#fields + 1] = affinity_lines(affinities.by_symbol[symbol])
    end
    redis.call('HSET', node.affinity, unpack(fields))
  end
end

-- A learn as the worker sends it, from ARGV[at]: mark, change as JSON, pattern ('' for none), events, maps of
-- emotives kept, lines of emotives, lines of metadata, numbers of: distinct symbols, emotives of the affinity,
-- vectors; then the symbols (symbol, occurrences), the affinity (emotive, value), the vectors (name, numbers in
-- it, vector). Returns the learn, whose values are named by their first and last place in ARGV, and the next place.
local function read_learn(at)
  local symbols = at + 10
  local affinity = symbols + 2 * ARGV[at + 7]
  local vectors = affinity + 2 * ARGV[at + 8]
  local next_learn = vectors + 3 * ARGV[at + 9]
  return {
    mark = ARGV[at], change = ARGV[at + 1], pattern = ARGV[at + 2], events = ARGV[at + 3],
    persistence = tonumber(ARGV[at + 4]), emotives = ARGV[at + 5], metadata = ARGV[at + 6],
    symbols = {symbols, affinity - 1}, affinity = {affinity, vectors - 1}, vectors = {vectors, next_learn - 1},
  }, next_learn
end

-- Numbers in the vectors held and in the first that has another count of them; nil when all can be indexed.
local function find_mismatch(learns)
  local expected = node.dimension
  for _, learn in ipairs(learns) do
    for i = learn.vectors[1], learn.vectors[2], 3 do
      local actual = tonumber(ARGV[i + 1])
      if actual > 0 then
        if expected and actual ~= expected then return expected, actual end
        expected = actual
      end
    end
  end
end

-- The empty vector has a name, but nothing to compare.
local function index_vectors(learn)
  for i = learn.vectors[1], learn.vectors[2], 3 do
    if ARGV[i + 1] ~= '0' then
      node.dimension = ARGV[i + 1]
      redis.call('HSET', node.vectors, ARGV[i], ARGV[i + 2])
    end
  end
end

local function add_lines(key, pattern, lines)
  if lines ~= '' then redis.call('HSET', key, pattern, lines) end
end

local function keep_emotives_and_metadata(learn)
  if learn.emotives == '' and learn.metadata == '' then return end
  local stored = redis.call('HGET', node.emotives, learn.pattern) or ''
  add_lines(node.emotives, learn.pattern, last_lines(join_lines(stored, learn.emotives), learn.persistence))
  if learn.metadata ~= '' then
    stored = redis.call('HGET', node.metadata, learn.pattern) or ''
    add_lines(node.metadata, learn.pattern, unite_lines(stored, learn.metadata))
  end
end

-- Returns how often the pattern was learned by now; false for a learn that made none.
local function apply_learn(learn)
  append_log(learn.mark, learn.change)
  index_vectors(learn)
  if learn.pattern == '' then return false end

  local frequency = redis.call('HINCRBY', node.frequencies, learn.pattern, 1)
  local is_new = frequency == 1
  node.learns = node.learns + 1
  if is_new then
    redis.call('ZADD', node.names, node.number, learn.pattern)
    redis.call('HSET', node.patterns, learn.pattern, learn.events)
    node.count = node.count + 1
    node.bytes = node.bytes + #learn.events
    add_lines(node.emotives, learn.pattern, learn.emotives)
    add_lines(node.metadata, learn.pattern, learn.metadata)
  else
    keep_emotives_and_metadata(learn)
  end

  local has_affinity = learn.affinity[1] <= learn.affinity[2]
  local symbols = {}
  for i = learn.symbols[1], learn.symbols[2], 2 do
    count_symbol(ARGV[i], tonumber(ARGV[i + 1]), 1, is_new and 1 or 0)
    if has_affinity then symbols[#symbols + 1] = ARGV[i] end
  end
  need_affinities(symbols)
  for i = learn.affinity[1], learn.affinity[2], 2 do
    local value = tonumber(ARGV[i + 1])
    for _, symbol in ipairs(symbols) do add_affinity(affinities.by_symbol[symbol], ARGV[i], value) end
  end
  return frequency
end

-- KEYS[9…21]: node.lua; ARGV[at] the number of replies that tell a frequency, then for each its place among the
-- commit's replies and the place of the learn whose frequency it is, then the learns (read_learn) to the end of ARGV;
-- ARGV[replies] the first reply's id
-- Returns the frequencies, and has written them into the replies that tell one; or nil and find_mismatch(), and has
--   written nothing
local function learn_all(at, replies)
  open_node(FIRST_SESSION + KEYS_PER_SESSION)
  local learns, frequencies = {}, {}
  local first_learn = at + 1 + 2 * ARGV[at]
  local next_learn = first_learn
  while next_learn <= #ARGV do learns[#learns + 1], next_learn = read_learn(next_learn) end
  local expected, actual = find_mismatch(learns)
  if expected then return nil, expected, actual end

  for i, learn in ipairs(learns) do frequencies[i] = apply_learn(learn) end
  write_affinities()
  close_node()
  for i = at + 1, first_learn - 1, 2 do
    local reply = replies + 2 * ARGV[i] - 1
    local frequency = frequencies[tonumber(ARGV[i + 1])]
    ARGV[reply] = '[' .. ARGV[reply] .. ',' .. (frequency and string.format('%.0f', frequency) or 'null') .. ']'
  end
  return frequencies
end
