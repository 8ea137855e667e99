-- Decides whether a visit of a target may begin, by the limits that hold across all workers.
--
-- KEYS 1 visits (zset)   2 holders (zset)   3 closed (string)   4 waiting (zset)   5 fill_closed (string)   6 narrowing (hash)
-- ARGV 1 holder   2 its lease (ms)   3 most visits a minute   4 most pages at once (0: this one opens none)   5 partition
--      6 1 if a form is to be filled
-- Returns {'granted' | 'fill_closed' (until an operator opens it) | 'paused' (likewise) | 'closed' | 'rate' | 'concurrency', ms until it may be granted (0: nobody can tell)}

local VISITS, HOLDERS, CLOSED, WAITING = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local holder, lease_ms, partition = ARGV[1], tonumber(ARGV[2]), ARGV[5]
local most_a_minute, most_at_once = tonumber(ARGV[3]), tonumber(ARGV[4])
local MINUTE_MS = 60000
local time = redis.call('TIME')
local NOW = time[1] * 1000 + math.floor(time[2] / 1000)

local function refuse(reason, wait_ms)
  if reason == 'concurrency' then
    redis.call('ZADD', WAITING, 'NX', NOW, partition)
    redis.call('PEXPIRE', WAITING, MINUTE_MS)
  else
    -- A slot that becomes free is of no use to it now.
    redis.call('ZREM', WAITING, partition)
  end
  return {reason, wait_ms}
end

if redis.call('HEXISTS', KEYS[6], 'paused_ms') == 1 then
  return refuse('paused', 0)
end

if ARGV[6] == '1' and redis.call('EXISTS', KEYS[5]) == 1 then
  return refuse('fill_closed', 0)
end

local closed_ms = redis.call('PTTL', CLOSED)
if most_at_once > 0 and closed_ms > 0 then
  return refuse('closed', closed_ms)
end

redis.call('ZREMRANGEBYSCORE', VISITS, '-inf', NOW - MINUTE_MS)
local excess = redis.call('ZCARD', VISITS) - most_a_minute
if excess >= 0 then
  -- One more fits in once this visit is a minute old.
  local blocking = redis.call('ZRANGE', VISITS, excess, excess, 'WITHSCORES')
  return refuse('rate', blocking[2] + MINUTE_MS - NOW)
end

-- The slot comes last: a visit that the rate refuses must not occupy one.
if most_at_once > 0 then
  redis.call('ZREMRANGEBYSCORE', HOLDERS, '-inf', NOW)
  if redis.call('ZCARD', HOLDERS) >= most_at_once then
    return refuse('concurrency', 0)
  end
  redis.call('ZADD', HOLDERS, NOW + lease_ms, holder)
  redis.call('PEXPIRE', HOLDERS, lease_ms)
end
redis.call('ZADD', VISITS, NOW, holder)
redis.call('PEXPIRE', VISITS, MINUTE_MS)
return {'granted', 0}
