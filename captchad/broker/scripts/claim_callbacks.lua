-- Takes callbacks that are due, each for a lease: whoever dies with one leaves it to the next.
--
-- ARGV 1 lease (ms)   2 most of a host that is not named, then hosts that are busy, each with how many it still takes
-- Returns {now (ms), ms until the next of a host that takes more is due or -1, for each: {id, its hash (flat list)}…}

local lease_ms, usual_room, rooms = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for at = 3, #ARGV, 2 do
  rooms[ARGV[at]] = tonumber(ARGV[at + 1])
end
local answer, next_ms = {string.format('%.0f', NOW), -1}, -1

-- Whether the task has ended; if so, what is sent of it lies beside it.
local function has_ended(id, queue)
  if redis.call('HEXISTS', callback_key(id), 'since_ms') == 1 then
    return true
  end
  local record = read_record(id, 'callback')
  if record and FINAL[record.status] and record.callback then
    release_callback(id, record.callback)
    return true
  end
  if record then
    redis.call('ZADD', queue, NOW + CALLBACK_CHECK_MS, id)
    return false
  end
  -- Nobody knows any more how the task ended.
  remove_callback(id)
  redis.call('DEL', callback_key(id))
  redis.call('ZREM', queue, id)
  count('callbacks_dropped', 1)
  return false
end

for _, host in ipairs(redis.call('ZRANGE', CALLBACK_HOSTS, 0, -1)) do
  local queue, room = PREFIX .. ':callbacks_due:' .. host, rooms[host] or usual_room
  -- Those of tasks that still run are looked at first, but no endless row of them in one call.
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', queue, '-inf', NOW, 'LIMIT', 0, room > 0 and room + 100 or 0)) do
    if room > 0 and has_ended(id, queue) then
      redis.call('HINCRBY', callback_key(id), 'tries', 1)
      redis.call('ZADD', queue, NOW + lease_ms, id)
      answer[#answer + 1] = {id, redis.call('HGETALL', callback_key(id))}
      room = room - 1
    end
  end
  local first = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
  if not first[2] then
    redis.call('ZREM', CALLBACK_HOSTS, host)
  elseif room > 0 then
    local wait_ms = math.max(0, first[2] - NOW)
    next_ms = next_ms < 0 and wait_ms or math.min(next_ms, wait_ms)
  end
end
answer[2] = math.floor(next_ms)
return answer
