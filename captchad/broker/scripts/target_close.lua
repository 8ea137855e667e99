-- Closes a target to every visit for a while; a longer closure that stands is left as it is.
--
-- KEYS 1 closed (string)   ARGV 1 how long (ms)
-- Returns ms until it is open again

local closed_ms = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[1]))
redis.call('SET', KEYS[1], '1', 'PX', closed_ms)
return closed_ms
