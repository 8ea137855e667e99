-- Records a role's heartbeat, and its report when one comes along.
--
-- KEYS 1 alive   2 nodes   ARGV 1 consumer   2 report (JSON) or ''
-- Returns {1 where memory is full, 1 where the role's report is stored}

local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
return {IS_FULL and 1 or 0, redis.call('HEXISTS', KEYS[2], ARGV[1])}
