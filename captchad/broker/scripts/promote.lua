-- Queues the delayed tasks that are due, and calls the next of each line that waits for a target's limits.
--
-- ARGV 1 most tasks to promote
-- Returns {promoted, ms until the next is due or -1}

local promoted = 0

for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELAYED, '-inf', NOW, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZREM', DELAYED, id)
  local record = read_state(id)
  if record and record.status == 'pending' then
    enqueue(id, tonumber(record.priority))
    promoted = promoted + 1
  end
end

-- One task at a time, at the pace of the limit: more than it lets through would only come back.
for _, line in ipairs(redis.call('ZRANGEBYSCORE', HELD, '-inf', NOW, 'LIMIT', 0, ARGV[1])) do
  local released, waiting = release_held(line, 1)
  promoted = promoted + released
  if waiting > 0 then
    redis.call('ZADD', HELD, NOW + redis.call('HGET', HELD_PACES, line), line)
  end
end

local next_ms = -1
for _, key in ipairs({DELAYED, HELD}) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] then
    local wait_ms = math.max(0, first[2] - NOW)
    next_ms = next_ms < 0 and wait_ms or math.min(next_ms, wait_ms)
  end
end
return {promoted, next_ms}
