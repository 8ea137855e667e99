-- Decides whether a request may pass, by the generic cell rate algorithm (one timestamp for each caller).
--
-- KEYS 1 theoretical arrival time (µs)   ARGV 1 cost   2 µs for each unit   3 burst (units)
-- A cost above the burst needs the whole burst free; it is charged in full, so the next request waits for all of it.
-- A cost below zero gives back what was charged before; it is never refused.
-- Returns {allowed 0|1, units left, µs until `cost` would be allowed, µs until the whole burst is free again}

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local arrival = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local after = math.max(now, arrival + cost * interval)
local earliest = arrival + math.min(cost, burst) * interval - burst * interval
if cost > 0 and now < earliest then
  return {0, math.max(0, math.floor((burst * interval - (arrival - now)) / interval)), earliest - now, arrival - now}
end
-- Lua writes large numbers with an exponent and 14 digits, which would lose the microseconds.
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1)
return {1, math.floor((burst * interval - (after - now)) / interval), 0, after - now}
