-- Counts an answer to a site in the task's record, before it is sent: over all its attempts a task sends no more than
-- one for its first attempt and one for each retry, and an answer that was on its way when its worker died counts.
--
-- ARGV 1 consumer   2 task id   3 fence token of the attempt
-- Returns 'counted'; 'used_up' where the task may send no other; 'lost' where the attempt is no longer its caller's

local id, record = ARGV[2], read_state(ARGV[2])
if not record or record.status ~= 'processing' or record.owner ~= ARGV[1] or record.token ~= ARGV[3] then
  return 'lost'
end
local sent = tonumber(redis.call('HGET', record_key(id), 'answers')) or 0
if sent > tonumber(record.retry_limit) then
  return 'used_up'
end
redis.call('HSET', record_key(id), 'answers', sent + 1)
return 'counted'
