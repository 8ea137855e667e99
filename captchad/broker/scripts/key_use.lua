-- Remembers when an API key was last used.
--
-- KEYS 1 key (hash)   ARGV 1 when (ms)

-- Nothing is made of a key that is not there any more.
if redis.call('HEXISTS', KEYS[1], 'digest') == 1
  and (tonumber(redis.call('HGET', KEYS[1], 'last_used_ms')) or 0) < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'last_used_ms', ARGV[1])
end
return 1
