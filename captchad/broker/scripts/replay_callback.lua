-- Lets a callback that was given up be tried again, as if its task had just ended.
--
-- ARGV 1 id
-- Returns 1, or 0 where there is none

local id = ARGV[1]
local letter, key = DEAD_CALLBACKS.key .. ':' .. id, callback_key(id)
local kept = redis.call('HMGET', letter, 'host', 'bytes')
if not kept[1] then
  return 0
end
move_callback(letter, key)
redis.call('ZREM', DEAD_CALLBACKS.key, id)
count(DEAD_CALLBACKS.bytes, -tonumber(kept[2]))
redis.call('HSET', key, 'tries', 0, 'since_ms', NOW)
redis.call('ZADD', CALLBACKS.key, NOW, id)
count_callback(kept[1], 1, tonumber(kept[2]))
schedule_callback(id, kept[1], NOW)
return 1
