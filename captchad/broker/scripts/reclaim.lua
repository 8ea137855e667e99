-- Takes tasks away from workers that have not renewed them for a lease, and queues them to run next.
--
-- ARGV 1 lease (ms)   2 Redis was away until then (ms since 1970; 0: never): workers lost before it cost nothing
--      3 most tasks for each stream   4 dead letter limits
-- Returns {requeued, blameless, dead_lettered}: tasks queued again, queued again at no cost, and made dead letters

local lease_ms, away_until_ms, most, dead_limits = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
-- A task that costs a second worker its life is taken for the cause, whatever retries are left.
local POISON_LOSSES = 2
local requeued, blameless, dead_lettered = 0, 0, 0

local function lose_worker(id, record)
  local worker_losses = redis.call('HINCRBY', record_key(id), 'worker_losses', 1)
  count('workers_lost', 1)
  if worker_losses >= POISON_LOSSES then
    dead_letter(id, record, encode_error('worker_lost', 'the task lost its worker ' .. worker_losses .. ' times'), dead_limits)
    dead_lettered = dead_lettered + 1
  elseif tonumber(record.attempts) > tonumber(record.retry_limit) then
    dead_letter(id, record, encode_error('worker_lost', 'the worker was lost and no attempt is left'), dead_limits)
    dead_lettered = dead_lettered + 1
  else
    leave_worker(id, record)
    enqueue(id, RECOVERED)
    publish(id, 'pending')
    requeued = requeued + 1
  end
end

local function reclaim(stream, entry, idle_ms)
  local found = redis.call('XRANGE', KEYS[stream], entry, entry)
  local id = found[1] and found[1][2][2]
  local record = id and read_state(id)
  if not record or record.status ~= 'processing' or record.entry ~= entry then
    redis.call('XACK', KEYS[stream], GROUP, entry)
    redis.call('XDEL', KEYS[stream], entry)
    if record and record.status == 'pending' and record.entry == entry then
      enqueue(id, RECOVERED)
    end
  elseif NOW - idle_ms < away_until_ms then
    -- Nobody could renew while Redis was away: the loss is no worker's fault, and no sign of a poisoned task.
    hand_back(id, record)
    blameless = blameless + 1
  else
    lose_worker(id, record)
  end
end

for stream = 1, 4 do
  local pending = redis.pcall('XPENDING', KEYS[stream], GROUP, 'IDLE', lease_ms, '-', '+', most)
  if pending.err then
    ensure_group(KEYS[stream])
  else
    for _, entry in ipairs(pending) do
      reclaim(stream, entry[1], entry[3])
    end
  end
end
return {requeued, blameless, dead_lettered}
