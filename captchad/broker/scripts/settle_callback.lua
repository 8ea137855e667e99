-- Writes what became of one try: the callback was delivered, or waits for its next, or is given up.
--
-- ARGV 1 id   2 number of the try   3 why it failed, '' where it was delivered   4 first pause (ms)   5 longest pause (ms)
--      6 jitter (0.5..1)   7 ms since the end of the task, or since its replay, after which it is given up
--      8 dead letter limits
-- Returns 'delivered', 'retried', 'dead', or 'stale' where another try has begun since, or the callback is gone

local id, try, failure = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local key = callback_key(id)
local kept = redis.call('HMGET', key, 'host', 'tries', 'since_ms')
if not kept[1] then
  return 'stale'
end
if failure == '' then
  remove_callback(id)
  redis.call('DEL', key)
  count('callbacks_delivered', 1)
  return 'delivered'
end
if tonumber(kept[2]) ~= try then
  return 'stale'
end
redis.call('HSET', key, 'failure', failure, 'failed_ms', NOW)
if NOW - kept[3] < tonumber(ARGV[7]) then
  -- The bound keeps the power finite; the longest pause is reached long before.
  local pause_ms = math.min(tonumber(ARGV[4]) * 2 ^ math.min(try - 1, 30), tonumber(ARGV[5])) * tonumber(ARGV[6])
  schedule_callback(id, kept[1], NOW + math.floor(pause_ms))
  return 'retried'
end
local _, size = remove_callback(id)
-- As of a dead letter, no session is kept of it.
size = size - #(redis.call('HGET', key, 'returned_session') or '')
redis.call('HDEL', key, 'returned_session')
redis.call('HSET', key, 'bytes', size)
move_callback(key, DEAD_CALLBACKS.key .. ':' .. id)
redis.call('ZADD', DEAD_CALLBACKS.key, NOW, id)
count(DEAD_CALLBACKS.bytes, size)
count('callbacks_dead', 1)
drop_oldest_dead(DEAD_CALLBACKS, ARGV[8])
return 'dead'
