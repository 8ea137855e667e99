-- Gives an API key another secret; the one it has remains valid for a while, but no longer than the key.
--
-- KEYS 1 key (hash)   ARGV 1 digest of the new secret   2 ms for which the present one remains valid   3 when the key expires (ms) or ''
-- Returns 1, or 0 where there is no such key that is still valid

local digest = redis.call('HGET', KEYS[1], 'digest')
if not digest or redis.call('HEXISTS', KEYS[1], 'revoked_ms') == 1 then
  return 0
end
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
local expires_ms = tonumber(ARGV[3] ~= '' and ARGV[3] or redis.call('HGET', KEYS[1], 'expires_ms'))
if expires_ms then
  until_ms = math.min(until_ms, expires_ms)
end
redis.call('HSET', KEYS[1], 'digest', ARGV[1], 'previous_digest', digest, 'previous_until_ms', string.format('%.0f', until_ms))
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'expires_ms', ARGV[3])
end
return 1
