-- Forgets what has expired: list entries without a record, old dead letters, callbacks and evidence, consumers of workers that are gone.
--
-- ARGV 1 first position in the list   2 positions to look at   3 dead letter retention (ms)   4 dead letter limits,
-- then the consumers that are alive
-- Returns {next position or -1 at the end, list entries removed, dead letters removed, consumers removed,
--          evidence forgotten, answers forgotten, dead callbacks removed}

local position, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local ids = redis.call('ZRANGE', RECENT, position, position + most - 1)
local forgotten = 0
for _, id in ipairs(ids) do
  if redis.call('EXISTS', record_key(id)) == 0 then
    redis.call('ZREM', RECENT, id)
    forgotten = forgotten + 1
  end
end

local old = redis.call('ZRANGEBYSCORE', DEAD, '-inf', NOW - ARGV[3], 'LIMIT', 0, most)
for _, id in ipairs(old) do
  forget_dead(LETTERS, id)
end
drop_oldest_dead(LETTERS, ARGV[4])

local old_callbacks = redis.call('ZRANGEBYSCORE', DEAD_CALLBACKS.key, '-inf', NOW - ARGV[3], 'LIMIT', 0, most)
for _, id in ipairs(old_callbacks) do
  forget_dead(DEAD_CALLBACKS, id)
end
drop_oldest_dead(DEAD_CALLBACKS, ARGV[4])

local alive, removed = {}, 0
for at = 5, #ARGV do
  alive[ARGV[at]] = true
end
for stream = 1, 4 do
  local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[stream], GROUP)
  for _, consumer in ipairs(consumers.err and {} or consumers) do
    local name, pending = consumer[2], consumer[4]
    -- DELCONSUMER drops what is pending with the consumer, and nobody would find those tasks again.
    if pending == 0 and not alive[name] then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[stream], GROUP, name)
      removed = removed + 1
    end
  end
end
local is_last = #ids < most
return {is_last and -1 or position + most - forgotten, forgotten, #old, removed,
  forget_expired_pictures(EVIDENCE, most), forget_expired_pictures(ANSWERS, most), #old_callbacks}
