-- Stores new tasks and queues them: all of them or none.
--
-- ARGV 1 limit of open tasks   2 limit of queued bytes   3 record ttl (s) after its end   4 limit of callbacks for a host
--      5 limit of their bytes   6 number of tasks, then for each: id, request, picture or '', target, priority (stream number), deadline (ms from now), retry limit, bytes,
-- idempotency digest or '', body digest or '', replayed id or '', session (sealed) or '', API key's id or '',
-- its callback's host and URL, each or ''
-- Returns {'stored', id…} | {'full', reason} | {'conflict', id}

local HEAD, FIELDS = 6, 15
local limit_tasks, limit_bytes, ttl_seconds = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local limit_callbacks, limit_callback_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local ids, fresh, fresh_bytes, fresh_callbacks = {'stored'}, {}, 0, {}

-- First all checks, then all writes: a script is not rolled back, and a batch is stored whole or not at all.
for index = 1, tonumber(ARGV[6]) do
  local at = HEAD + (index - 1) * FIELDS
  local id, digest, body = ARGV[at + 1], ARGV[at + 9], ARGV[at + 10]
  local known = digest ~= '' and redis.call('GET', PREFIX .. ':idempotency:' .. digest)
  local known_id, known_body = string.match(known or '', '^(%S+) (%S+)$')
  if known_id then
    if known_body ~= body then
      return {'conflict', known_id}
    end
    ids[#ids + 1] = known_id
  else
    ids[#ids + 1] = id
    -- A gateway that lost the reply submits the same ids again.
    if redis.call('EXISTS', record_key(id)) == 0 then
      fresh[#fresh + 1] = at
      fresh_bytes = fresh_bytes + tonumber(ARGV[at + 8])
      if ARGV[at + 14] ~= '' then
        fresh_callbacks[ARGV[at + 14]] = (fresh_callbacks[ARGV[at + 14]] or 0) + 1
      end
    end
  end
end

-- A repeated submit stores nothing, so it is answered even when the queue is full.
if #fresh > 0 then
  if redis.call('ZCARD', OPEN) + #fresh > limit_tasks then
    return {'full', 'tasks'}
  end
  if tonumber(redis.call('HGET', COUNTERS, 'queued_bytes') or '0') + fresh_bytes > limit_bytes then
    return {'full', 'bytes'}
  end
end
-- Of each host its own: one that takes none leaves the others their room.
for host, number in pairs(fresh_callbacks) do
  if counted('callbacks:' .. host) + number > limit_callbacks or counted('callback_bytes:' .. host) >= limit_callback_bytes then
    return {'full', 'callbacks'}
  end
end

for _, at in ipairs(fresh) do
  local id, target, digest = ARGV[at + 1], ARGV[at + 4], ARGV[at + 9]
  local key, deadline_ms = record_key(id), NOW + tonumber(ARGV[at + 6])
  redis.call('HSET', key, 'request', ARGV[at + 2], 'target', target, 'priority', ARGV[at + 5],
    'deadline_ms', deadline_ms, 'retry_limit', ARGV[at + 7], 'bytes', ARGV[at + 8], 'ttl_seconds', ttl_seconds,
    'created_ms', NOW, 'attempts', 0, 'worker_losses', 0)
  if ARGV[at + 3] ~= '' then
    redis.call('HSET', key, 'picture', ARGV[at + 3])
  end
  if ARGV[at + 12] ~= '' then
    redis.call('HSET', key, 'session', ARGV[at + 12])
  end
  if ARGV[at + 11] ~= '' then
    redis.call('HSET', key, 'replay_of', ARGV[at + 11])
  end
  if ARGV[at + 13] ~= '' then
    redis.call('HSET', key, 'key_id', ARGV[at + 13])
  end
  if digest ~= '' then
    redis.call('HSET', key, 'idempotency', digest)
    redis.call('SET', PREFIX .. ':idempotency:' .. digest, id .. ' ' .. ARGV[at + 10])
  end
  if ARGV[at + 14] ~= '' then
    local receiver = ARGV[at + 14] .. ' ' .. ARGV[at + 15]
    redis.call('HSET', key, 'callback', receiver)
    add_callback(id, receiver, ARGV[at + 2])
  end
  redis.call('ZADD', OPEN, deadline_ms, id)
  redis.call('ZADD', RECENT, NOW, id)
  count('submitted', 1)
  count('queued_bytes', tonumber(ARGV[at + 8]))
  count('open:' .. target, 1)
  redis.call('HSET', key, 'deferral_rank', rank_of(ARGV[at + 5], enqueue(id, tonumber(ARGV[at + 5]))))
  publish(id, 'pending', {target = target})
end
return ids
