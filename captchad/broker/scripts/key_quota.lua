-- Counts the tasks of one API key's day (UTC), all that are asked for or none.
--
-- KEYS 1 quota (hash)   ARGV 1 tasks; below zero: that many are given back   2 most a day   3 the day they are given back of, or ''
-- Returns {1 counted | 0 too many, tasks left, ms until the next day, the day}

local DAY_MS = 86400000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local today = string.format('%.0f', math.floor(now / DAY_MS))
local tasks, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local day, used = unpack(redis.call('HMGET', KEYS[1], 'day', 'used'))
used = day == today and tonumber(used) or 0
local left_ms = (today + 1) * DAY_MS - now
-- What was counted yesterday is not given back today.
local is_late = tasks < 0 and ARGV[3] ~= today
if is_late or tasks > 0 and used + tasks > most then
  return {is_late and 1 or 0, math.max(0, most - used), left_ms, today}
end
used = math.max(0, used + tasks)
redis.call('HSET', KEYS[1], 'day', today, 'used', used)
redis.call('PEXPIRE', KEYS[1], left_ms)
return {1, math.max(0, most - used), left_ms, today}
