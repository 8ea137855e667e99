-- Measures the queues of a partition.
--
-- Returns {waiting and ms since the oldest was queued (-1: none) for each of the four streams…,
--          delayed, dead, open, callbacks that wait to be sent, ms since the task of the oldest ended (-1: none), callbacks
--          that were given up, flat list of counters, flat list of targets and how many are deferred (pictures apart)}

local answer = {}
for stream = 1, 4 do
  local waiting, first = look_ahead(stream)
  local oldest_ms = first and NOW - tonumber(string.match(first[1], '^(%d+)-')) or -1
  answer[#answer + 1] = waiting
  answer[#answer + 1] = oldest_ms
end

local deferred = {}
for _, queue in ipairs(redis.call('ZRANGE', DEFERRED, 0, -1)) do
  deferred[#deferred + 1] = string.gsub(queue, PICTURES .. '$', '')
  deferred[#deferred + 1] = redis.call('ZCARD', deferred_key(queue))
end

answer[#answer + 1] = redis.call('ZCARD', DELAYED)
answer[#answer + 1] = redis.call('ZCARD', DEAD)
answer[#answer + 1] = redis.call('ZCARD', OPEN)
local oldest = redis.call('ZRANGE', CALLBACKS.key, 0, 0, 'WITHSCORES')
local ended_ms = tonumber(oldest[2]) or math.huge
answer[#answer + 1] = redis.call('ZCOUNT', CALLBACKS.key, '-inf', '(+inf')
answer[#answer + 1] = ended_ms < math.huge and NOW - ended_ms or -1
answer[#answer + 1] = redis.call('ZCARD', DEAD_CALLBACKS.key)
answer[#answer + 1] = redis.call('HGETALL', COUNTERS)
answer[#answer + 1] = deferred
return answer
