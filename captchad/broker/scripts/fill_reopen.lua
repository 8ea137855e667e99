-- Opens `fill` again at a target, whose hour begins anew; answers on their way keep their room.
--
-- KEYS 1 rejections (zset)   2 fill_closed (string)   ARGV 1 target   2 events (a channel)
-- Returns 1 where it was closed, else 0

local time = redis.call('TIME')
local NOW = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('DEL', KEYS[2]) == 0 then
  return 0
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', NOW)
redis.pcall('PUBLISH', ARGV[2], cjson.encode({target = ARGV[1], change = 'fill_reopened', at_ms = NOW}))
return 1
