-- Takes tasks away from workers that have not renewed them for a lease, and queues them to run next.
--
-- ARGV 1 lease (ms)   2 Redis was away until then (ms since 1970; 0: never): workers lost before it cost nothing
--      3 most tasks for each stream   4 dead letter limits
-- Returns {requeued, blameless, dead_lettered, consumer…}: tasks queued again, queued again at no cost, and made dead
-- letters; then the workers that were lost

local lease_ms, away_until_ms, most, dead_limits = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
-- A task that costs a second worker its life is taken for the cause, whatever retries are left. Where it can't be told
-- from those that ran beside it, it may go on to a further one, but not for ever.
local POISON_LOSSES, COMPANY_LOSSES = 2, 4
-- What a lost worker costs a task: an attempt; no attempt, but it runs alone next time; nothing.
local CHARGED, SUSPECTED, SPARED = 'charged', 'suspected', 'spared'
local requeued, blameless, dead_lettered = 0, 0, 0
local lost, answer = {}, {}

-- Returns the task of a stream entry and its record if its worker has it still.
local function find_running(stream, entry)
  local found = redis.call('XRANGE', KEYS[stream], entry, entry)
  local id = found[1] and found[1][2][2]
  local record = id and read_state(id)
  return id, record, record and record.status == 'processing' and record.entry == entry
end

-- Decides for all tasks of a lost worker at once what that costs each, and notes it in their records: not all leases
-- end at the same time. One task at most has killed the worker; one that has lost a worker before is suspected first.
local function judge(consumer)
  local running, suspects = {}, {}
  for stream = 1, 4 do
    local pending = call_group('XPENDING', KEYS[stream], GROUP, '-', '+', most, consumer)
    for _, entry in ipairs(pending or {}) do
      local id, record, is_running = find_running(stream, entry[1])
      if is_running then
        running[#running + 1] = id
        if tonumber(record.worker_losses) > 0 then
          suspects[#suspects + 1] = id
        end
      end
    end
  end
  local accused = #suspects > 0 and suspects or running
  for _, id in ipairs(running) do
    redis.call('HSET', record_key(id), 'loss', SPARED)
  end
  for _, id in ipairs(accused) do
    redis.call('HSET', record_key(id), 'loss', #accused == 1 and CHARGED or SUSPECTED)
  end
end

local function bury(id, record, message)
  dead_letter(id, record, encode_error('worker_lost', message), dead_limits)
  dead_lettered = dead_lettered + 1
end

local function lose_worker(id, record, loss)
  lost[record.owner] = true
  local losses = tonumber(record.worker_losses)
  if loss ~= SPARED then
    losses = redis.call('HINCRBY', record_key(id), 'worker_losses', 1)
  end
  if losses >= (loss == CHARGED and POISON_LOSSES or COMPANY_LOSSES) then
    bury(id, record, 'the task lost its worker ' .. losses .. ' times')
  elseif loss ~= CHARGED then
    hand_back(id, record)
    requeued = requeued + 1
  elseif tonumber(record.attempts) > tonumber(record.retry_limit) then
    bury(id, record, 'the worker was lost and no attempt is left')
  else
    leave_worker(id, record)
    enqueue(id, RECOVERED)
    publish(id, 'pending')
    requeued = requeued + 1
  end
end

local function reclaim(stream, entry, consumer, idle_ms)
  local id, record, is_running = find_running(stream, entry)
  if not is_running then
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
    if not record.loss then
      judge(consumer)
    end
    lose_worker(id, record, record.loss or redis.call('HGET', record_key(id), 'loss'))
  end
end

for stream = 1, 4 do
  local pending = call_group('XPENDING', KEYS[stream], GROUP, 'IDLE', lease_ms, '-', '+', most)
  if not pending then
    ensure_group(KEYS[stream])
  end
  for _, entry in ipairs(pending or {}) do
    reclaim(stream, entry[1], entry[2], entry[3])
  end
end

answer[1], answer[2], answer[3] = requeued, blameless, dead_lettered
for consumer in pairs(lost) do
  answer[#answer + 1] = consumer
end
return answer
