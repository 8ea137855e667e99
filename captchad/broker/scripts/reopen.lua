-- Lets the tasks that a closed target's pages wait for ask its limits again now.
--
-- ARGV 1 target   2 1 if its pictures go on too
-- Returns how many tasks wait

local function release(queue)
  local waiting = redis.call('ZCARD', deferred_key(queue))
  if waiting == 0 then
    return 0
  end
  redis.call('ZADD', DEFERRED, NOW, queue)
  if redis.call('HGET', DEFERRED_REASONS, queue) == 'closed' then
    redis.call('HSET', DEFERRED_REASONS, queue, 'rate')
  end
  -- The scheduler sleeps until the next task is due; this wakes it.
  local first = redis.call('ZRANGE', deferred_key(queue), 0, 0)[1]
  publish(first, 'pending', {delay_ms = 0})
  return waiting
end

return release(ARGV[1]) + (ARGV[2] == '1' and release(ARGV[1] .. PICTURES) or 0)
