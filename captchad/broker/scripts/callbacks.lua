-- What the scripts about callbacks share.

local FINAL = {completed = true, failed = true, cancelled = true}

-- Not RENAME: users of Redis set up for an earlier release may not have the right to it.
local function move_callback(from, to)
  redis.call('HSET', to, unpack(redis.call('HGETALL', from)))
  redis.call('DEL', from)
end

-- The callback leaves those that wait; its hash stays.
local function remove_callback(id)
  local kept = redis.call('HMGET', callback_key(id), 'host', 'bytes')
  redis.call('ZREM', CALLBACKS.key, id)
  if kept[1] then
    redis.call('ZREM', PREFIX .. ':callbacks_due:' .. kept[1], id)
    count_callback(kept[1], -1, -tonumber(kept[2]))
  end
  return kept[1], tonumber(kept[2] or 0)
end
