-- Takes or keeps the one lease of the active scheduler, or gives it up.
--
-- KEYS 1 leader   ARGV 1 consumer   2 lease (ms); 0 gives it up
-- Returns 1 if the caller holds the lease now

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
