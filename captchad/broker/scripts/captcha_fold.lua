-- Replaces what is remembered of targets' captchas by what it is after some observations, which go.
--
-- KEYS 1 leader   2 observations (stream)   3 states (hash)   4 seen (zset)   5 changed (hash)   6 events (a channel)
-- ARGV 1 consumer   2 ms after which a target that nobody visits is forgotten   3 how many observations, their ids,
-- then for each target: host, state (JSON), and its change (JSON for the event) or ''
-- Returns 1, or 0 where nothing was done: another scheduler is the active one, or the observations are folded in already

local LEADER, OBSERVATIONS, STATES, SEEN, CHANGED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = redis.call('TIME')
local NOW = time[1] * 1000 + math.floor(time[2] / 1000)
local count = tonumber(ARGV[3])

local first = redis.call('XRANGE', OBSERVATIONS, '-', '+', 'COUNT', 1)[1]
if redis.call('GET', LEADER) ~= ARGV[1] or not first or first[1] ~= ARGV[4] then
  return 0
end
for at = 4, 3 + count do
  redis.call('XDEL', OBSERVATIONS, ARGV[at])
end

for _, host in ipairs(redis.call('ZRANGEBYSCORE', SEEN, '-inf', NOW - ARGV[2])) do
  redis.call('ZREM', SEEN, host)
  redis.call('HDEL', STATES, host)
  redis.call('HDEL', CHANGED, host)
end

for at = 4 + count, #ARGV, 3 do
  local host, state, change = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  redis.call('HSET', STATES, host, state)
  redis.call('ZADD', SEEN, NOW, host)
  if change ~= '' then
    redis.call('HSET', CHANGED, host, NOW)
    local event = cjson.decode(change)
    event.at_ms = NOW
    -- Without the right to publish, what is written counts all the same.
    redis.pcall('PUBLISH', KEYS[6], cjson.encode(event))
  end
end
return 1
