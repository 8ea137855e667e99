-- Renews the slots of visits that go on; one that lapsed and was given to another is not taken back.
--
-- KEYS 1 holders (zset)   ARGV 1 lease (ms), then the holders
-- Returns how many still hold their slot

local lease_ms, kept = tonumber(ARGV[1]), 0
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + lease_ms
for at = 2, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[at]) then
    redis.call('ZADD', KEYS[1], until_ms, ARGV[at])
    kept = kept + 1
  end
end
redis.call('PEXPIRE', KEYS[1], lease_ms)
return kept
