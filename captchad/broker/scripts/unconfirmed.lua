-- Lists ends that nobody has confirmed yet: the process that wrote them may have died.
--
-- ARGV 1 most tasks
-- Returns a flat list: id, ending, …

local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', OPEN, '+inf', '+inf', 'LIMIT', 0, ARGV[1])) do
  local record = read_record(id, 'ending')
  if record and record.status == 'unconfirmed' then
    found[#found + 1] = id
    found[#found + 1] = record.ending
  else
    redis.call('ZREM', OPEN, id)
  end
end
return found
