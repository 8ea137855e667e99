-- Makes the token that proofs of this installation hold, unless there is one.
--
-- KEYS 1 proof (hash)   ARGV 1 the new token   2 1 if the installation has had tasks already
-- Returns 1 where it was made now, else 0

if redis.call('HSETNX', KEYS[1], 'token', ARGV[1]) == 0 then
  return 0
end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'made_ms', time[1] * 1000 + math.floor(time[2] / 1000), 'stood', ARGV[2])
return 1
