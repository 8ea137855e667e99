-- Makes a model the present one of a target, and the one before it the former, whose own predecessor is left to expire.
--
-- KEYS 1 choice (hash)   2 prefix of the models' own keys
-- ARGV 1 target   2 events (a channel)   3 digest of the model to be replaced (empty: the packaged one)
--      4 digest of the new one   5 its file   6 for how long the one before the former can still be fetched (ms)
-- Returns 1; 0 where another model is the present one by now

local present, former = unpack(redis.call('HMGET', KEYS[1], 'present', 'former'))
present = present or ''
if present ~= ARGV[3] then
  return 0
end
if present == ARGV[4] then
  return 1
end
-- First of all: a full memory refuses a script's first write alone.
redis.call('SET', KEYS[2] .. ARGV[4], ARGV[5])
if former and former ~= '' and former ~= ARGV[4] then
  redis.call('PEXPIRE', KEYS[2] .. former, ARGV[6])
end
choose(ARGV[4], present, 'model_installed')
return 1
