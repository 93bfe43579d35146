-- A page of a hash of a node's long-term memory, in no order.
-- KEYS[1] hash memory, KEYS[2] the hash; ARGV[1] id of the server that gave the cursor, ARGV[2] cursor, '0' to begin;
-- ARGV[3] about how many fields
-- Returns {position of the log or false, id of this server, next cursor or '0', {field, value, …}}
-- Cost: O(fields wanted), of a small hash all
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
-- A cursor walks the table of one process: after a failover or in a slot that moved it would skip fields,
-- so the walk begins anew.
local cursor = ARGV[1] == server and ARGV[2] or '0'
local page = redis.call('HSCAN', KEYS[2], cursor, 'COUNT', ARGV[3])
return {redis.call('HGET', KEYS[1], 'p'), server, page[1], page[2]}
