-- Takes tasks away from workers that have not renewed them for a lease, and queues them to run next.
--
-- ARGV 1 lease (ms)   2 Redis was away until then (ms since 1970; 0: never): workers lost before it cost nothing
--      3 most tasks for each stream   4 dead letter limit
-- Returns {requeued, blameless, dead_lettered, consumer…}: tasks queued again, queued again at no cost, and made dead
-- letters; then the workers that were lost

local lease_ms, away_until_ms, most, dead_limit = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
-- A task that costs a second worker its life is taken for the cause, whatever retries are left.
local POISON_LOSSES = 2
local requeued, blameless, dead_lettered = 0, 0, 0
local lost, answer = {}, {}

local function lose_worker(id, record)
  local worker_losses = redis.call('HINCRBY', record_key(id), 'worker_losses', 1)
  lost[record.owner] = true
  if worker_losses >= POISON_LOSSES then
    dead_letter(id, record, encode_error('worker_lost', 'the task lost its worker ' .. worker_losses .. ' times'), dead_limit)
    dead_lettered = dead_lettered + 1
  elseif tonumber(record.attempts) > tonumber(record.retry_limit) then
    dead_letter(id, record, encode_error('worker_lost', 'the worker was lost and no attempt is left'), dead_limit)
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
  local pending = call_group('XPENDING', KEYS[stream], GROUP, 'IDLE', lease_ms, '-', '+', most)
  if not pending then
    ensure_group(KEYS[stream])
  end
  for _, entry in ipairs(pending or {}) do
    reclaim(stream, entry[1], entry[3])
  end
end

answer[1], answer[2], answer[3] = requeued, blameless, dead_lettered
for consumer in pairs(lost) do
  answer[#answer + 1] = consumer
end
return answer
