-- What is known of some symbols.
-- KEYS and the reply, false where nothing is known: symbol-rows.lua; ARGV the symbols
-- Cost: O(symbols asked for)
return read_symbols(ARGV)
