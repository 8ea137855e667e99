-- Reads every role's report and last heartbeat, and forgets roles that have long been silent.
--
-- KEYS 1 alive   2 nodes   ARGV 1 ms after which a silent role is forgotten
-- Returns {now (ms), flat list of consumer and report, flat list of consumer and last heartbeat (ms)}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, consumer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])) do
  redis.call('ZREM', KEYS[1], consumer)
  redis.call('HDEL', KEYS[2], consumer)
end
return {now, redis.call('HGETALL', KEYS[2]), redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')}
