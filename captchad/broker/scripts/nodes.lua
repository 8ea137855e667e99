-- Reads every role's report and last heartbeat, and forgets roles that have long been silent.
--
-- KEYS 1 alive   2 nodes   ARGV 1 ms after which a silent role is forgotten
-- Returns {now (ms), flat list of consumer and report, flat list of consumer and last heartbeat (ms)}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- With pcall, since the fleet must be seen also where no write is taken; the next call forgets what this one could not.
local function forget(consumer)
  redis.pcall('ZREM', KEYS[1], consumer)
  redis.pcall('HDEL', KEYS[2], consumer)
end

for _, consumer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])) do
  forget(consumer)
end

local seen, signs = {}, redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 1, #signs, 2 do
  seen[signs[at]] = true
  -- After a failover the clock may be behind the last one's: a role that has ended would seem alive until it catches up.
  if tonumber(signs[at + 1]) > now then
    signs[at + 1] = tostring(now)
    redis.pcall('ZADD', KEYS[1], now, signs[at])
  end
end

local reports = {}
local stored = redis.call('HGETALL', KEYS[2])
for at = 1, #stored, 2 do
  if seen[stored[at]] then
    reports[#reports + 1] = stored[at]
    reports[#reports + 1] = stored[at + 1]
  else
    -- Without a heartbeat it would never be old enough to be forgotten.
    redis.pcall('HDEL', KEYS[2], stored[at])
  end
end
return {now, reports, signs}
