-- What the scripts that change a target's model share: ARGV 1 is its host, 2 the channel of events.

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

local function choose(present, former, change)
  redis.call('HSET', KEYS[1], 'present', present, 'former', former, 'at_ms', string.format('%.0f', now_ms))
  local event = {target = ARGV[1], model = present, change = change, at_ms = now_ms}
  -- Without the right to publish, what is written counts all the same: workers also look for it without being told.
  redis.pcall('PUBLISH', ARGV[2], cjson.encode(event))
end

