-- What the scripts about a target's rejections share.
--
-- KEYS 1 rejections (zset)   2 fill_closed (string)   ARGV 1 target   2 events (a channel)   3 most rejections an hour
--
-- A member of REJECTIONS whose time is past is a rejection of that time. One whose time is still to come is room reserved
-- for an answer on its way: it is told before what became of it, or nobody ever will, and then it counts as rejected.

local REJECTIONS, FILL_CLOSED = KEYS[1], KEYS[2]
local most_an_hour = tonumber(ARGV[3])
local HOUR_MS = 3600000
local time = redis.call('TIME')
local NOW = time[1] * 1000 + math.floor(time[2] / 1000)

local function note(name, at_ms)
  redis.call('ZADD', REJECTIONS, at_ms, name)
  local last = redis.call('ZRANGE', REJECTIONS, -1, -1, 'WITHSCORES')
  redis.call('PEXPIRE', REJECTIONS, last[2] - NOW + HOUR_MS)
end

-- Closes `fill` once the last hour has had all its rejections. Returns 'open', 'closing' (just now) or 'closed'.
local function close_if_used_up()
  redis.call('ZREMRANGEBYSCORE', REJECTIONS, '-inf', NOW - HOUR_MS)
  if redis.call('EXISTS', FILL_CLOSED) == 1 then
    return 'closed'
  end
  if redis.call('ZCOUNT', REJECTIONS, '-inf', NOW) < most_an_hour then
    return 'open'
  end
  redis.call('SET', FILL_CLOSED, NOW)
  -- Without the right to publish, what is written counts all the same.
  redis.pcall('PUBLISH', ARGV[2], cjson.encode({target = ARGV[1], change = 'fill_closed', at_ms = NOW}))
  return 'closing'
end
