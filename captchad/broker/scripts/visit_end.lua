-- Frees the slot of a visit that has ended, and names the partition that may use it.
--
-- KEYS 1 holders (zset)   2 waiting (zset)   ARGV 1 holder
-- Returns the partition that has waited longest for a slot, or -1; it goes to the end of the waiting ones

redis.call('ZREM', KEYS[1], ARGV[1])
local first = redis.call('ZRANGE', KEYS[2], 0, 0)
if not first[1] then
  return -1
end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), first[1])
return tonumber(first[1])
