-- Counts workers that were lost, each once, in however many partitions and rounds its tasks are found.
--
-- KEYS 1 lost   2 counters   ARGV 1 ms for which a worker isn't counted again, then the consumers
-- Returns how many were counted

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
local counted = 0
for at = 2, #ARGV do
  counted = counted + redis.call('ZADD', KEYS[1], 'NX', now, ARGV[at])
end
if counted > 0 then
  redis.call('HINCRBY', KEYS[2], 'workers_lost', counted)
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return counted
