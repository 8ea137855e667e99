-- Reads what a partition has counted so far, and when that is.
--
-- Returns {now (ms), counters (flat list), then for each minute of history: its number, its figures (flat list)}

local answer, present = {string.format('%.0f', NOW), redis.call('HGETALL', COUNTERS)}, math.floor(NOW / 60000)
for minute = present - HISTORY_SECONDS / 60, present do
  local figures = redis.call('HGETALL', PREFIX .. ':history:' .. minute)
  if #figures > 0 then
    answer[#answer + 1] = string.format('%.0f', minute)
    answer[#answer + 1] = figures
  end
end
return answer
