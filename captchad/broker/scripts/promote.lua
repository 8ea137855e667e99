-- Queues the delayed tasks that are due, and releases the next task of each deferred queue that is due.
--
-- ARGV 1 most tasks to promote
-- Returns {promoted, ms until the next is due or -1}

local promoted = 0

for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELAYED, '-inf', NOW, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZREM', DELAYED, id)
  local record = read_state(id)
  if record and record.status == 'pending' then
    enqueue_again(id, record)
    promoted = promoted + 1
  end
end

-- One task at a time, at the pace of the limit: whatever exceeds it would only be deferred again.
for _, queue in ipairs(redis.call('ZRANGEBYSCORE', DEFERRED, '-inf', NOW, 'LIMIT', 0, ARGV[1])) do
  local released, waiting = release_deferred(queue, 1)
  promoted = promoted + released
  if waiting > 0 then
    redis.call('ZADD', DEFERRED, NOW + redis.call('HGET', DEFERRED_PACES, queue), queue)
  end
end

local next_ms = -1
for _, key in ipairs({DELAYED, DEFERRED}) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] then
    local wait_ms = math.max(0, first[2] - NOW)
    next_ms = next_ms < 0 and wait_ms or math.min(next_ms, wait_ms)
  end
end
return {promoted, next_ms}
