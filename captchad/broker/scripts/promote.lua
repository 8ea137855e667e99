-- Queues the delayed tasks that are due.
--
-- ARGV 1 most tasks to promote
-- Returns {promoted, ms until the next is due or -1}

local due = redis.call('ZRANGEBYSCORE', DELAYED, '-inf', NOW, 'LIMIT', 0, ARGV[1])
local promoted = 0
for _, id in ipairs(due) do
  redis.call('ZREM', DELAYED, id)
  local record = read_state(id)
  if record and record.status == 'pending' then
    enqueue(id, tonumber(record.priority))
    promoted = promoted + 1
  end
end
local next = redis.call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
return {promoted, next[2] and math.max(0, next[2] - NOW) or -1}
