-- Measures the queues of a partition.
--
-- Returns {waiting and ms since the oldest was queued (-1: none) for each of the four streams…,
--          delayed, dead, open, flat list of counters, flat list of targets and how many are deferred (pictures apart)}

local answer = {}
for stream = 1, 4 do
  local length = redis.call('XLEN', KEYS[stream])
  local waiting, oldest_ms = length, -1
  if length > 0 then
    local last = '0-0'
    local groups = redis.pcall('XINFO', 'GROUPS', KEYS[stream])
    if not groups.err and groups[1] then
      for index = 1, #groups[1], 2 do
        if groups[1][index] == 'last-delivered-id' then
          last = groups[1][index + 1]
        elseif groups[1][index] == 'pending' then
          waiting = length - groups[1][index + 1]
        end
      end
    end
    local first = redis.call('XRANGE', KEYS[stream], '(' .. last, '+', 'COUNT', 1)
    if first[1] then
      oldest_ms = NOW - tonumber(string.match(first[1][1], '^(%d+)-'))
    end
  end
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
answer[#answer + 1] = redis.call('HGETALL', COUNTERS)
answer[#answer + 1] = deferred
return answer
