-- Puts a target's former model back; the present one becomes the former, so that a second time undoes the first.
--
-- KEYS 1 choice (hash)   ARGV 1 target   2 events (a channel)
-- Returns 1; 0 where there is no former model

local present, former = unpack(redis.call('HMGET', KEYS[1], 'present', 'former'))
if not former then
  return 0
end
choose(former, present, 'model_rolled_back')
return 1
