-- Writes fields of a target's proof or narrowing, and tells the fleet.
--
-- KEYS 1 proof or narrowing (hash)
-- ARGV 1 target   2 events (a channel)   3 name of the change ('': nobody need hear of it)
--      then name and value of each field; without a value the field goes; 'now' is the time of Redis

local time = redis.call('TIME')
local NOW = time[1] * 1000 + math.floor(time[2] / 1000)
for at = 4, #ARGV, 2 do
  local name, value = ARGV[at], ARGV[at + 1]
  if value == '' then
    redis.call('HDEL', KEYS[1], name)
  else
    redis.call('HSET', KEYS[1], name, value == 'now' and NOW or value)
  end
end
if ARGV[3] ~= '' then
  redis.pcall('PUBLISH', ARGV[2], cjson.encode({target = ARGV[1], change = ARGV[3], at_ms = NOW}))
end
return 1
