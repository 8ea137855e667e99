-- Records a role's heartbeat, and its report when one comes along.
--
-- KEYS 1 alive   2 nodes   ARGV 1 consumer   2 report (JSON) or ''
-- Returns the time of the heartbeat (ms)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
return now
