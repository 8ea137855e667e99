-- Keeps what visits showed of their targets' captchas until the scheduler has folded it in.
--
-- KEYS 1 observations (stream)   ARGV 1 how many may wait, then the observations (JSON)
-- Returns how many were kept: none while memory is full, or while nobody folds them in

local kept = 0
for at = 2, #ARGV do
  if IS_FULL or redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then
    break
  end
  redis.call('XADD', KEYS[1], '*', 'seen', ARGV[at])
  kept = kept + 1
end
return kept
