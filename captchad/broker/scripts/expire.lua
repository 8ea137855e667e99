-- Ends the tasks that have passed their deadline, wherever they are.
--
-- ARGV 1 most tasks to end
-- Returns {ended, ms until the next deadline or -1}

local ended = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', OPEN, '-inf', NOW, 'LIMIT', 0, ARGV[1])) do
  local record = read_state(id)
  if record then
    finish(id, record, 'failed', {'error', encode_error('deadline_exceeded', 'the task did not end before its deadline')})
    ended = ended + 1
  else
    redis.call('ZREM', OPEN, id)
  end
end
-- Those whose end is written but not confirmed have no deadline any more, and come last.
local next = redis.call('ZRANGEBYSCORE', OPEN, '-inf', '(+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return {ended, next[2] and math.max(0, next[2] - NOW) or -1}
