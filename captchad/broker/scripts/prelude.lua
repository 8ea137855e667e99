-- What every partition script shares: the keys, the clock, and the only ways a task changes its state.
--
-- KEYS 1-4 streams: recovered, high, normal, low   5 open   6 delayed   7 recent   8 dead   9 counters   10 prefix
--      11 events (a channel)
-- A record is a hash; its fields are listed in broker/messages.py.

local GROUP = 'workers'
local RECOVERED = 1
local OPEN, DELAYED, RECENT, DEAD, COUNTERS, PREFIX = KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local DEFERRED, DEFERRED_PACES = PREFIX .. ':deferred', PREFIX .. ':deferred_paces'
local HISTORY_SECONDS = 7200
-- Redis's clock alone: those of the processes differ, and a record must not depend on who wrote it.
local time = redis.call('TIME')
local NOW = time[1] * 1000 + math.floor(time[2] / 1000)

local function record_key(id)
  return PREFIX .. ':task:' .. id
end

local function read_record(id, ...)
  local names, record = {...}, {}
  local values = redis.call('HMGET', record_key(id), 'status', unpack(names))
  if not values[1] then
    return nil
  end
  record.status = values[1]
  for index, name in ipairs(names) do
    record[name] = values[index + 1]
  end
  return record
end

-- A counter that is back at zero goes, or the hash would keep every target ever seen.
local function count(name, amount)
  if redis.call('HINCRBY', COUNTERS, name, amount) == 0 and amount < 0 then
    redis.call('HDEL', COUNTERS, name)
  end
end

local function publish(id, status, extra)
  local event = extra or {}
  event.task_id, event.status, event.at_ms = id, status, NOW
  redis.call('PUBLISH', KEYS[11], cjson.encode(event))
end

-- Runs a command on a stream's group; false where there is none. Any other error ends the script: taken for an answer, a
-- refusal would look like a task that is lost.
local function call_group(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  return not string.find(reply.err, 'NOGROUP', 1, true) and redis.call(...)
end

-- From id 0: what was queued while there was no group must be delivered too. It may exist by now, hence pcall.
local function ensure_group(stream)
  redis.pcall('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
end

-- Deleted as well as acknowledged: an entry that stayed would take memory for ever.
local function drop_entry(record)
  if record.entry and record.entry ~= '' then
    local stream = KEYS[tonumber(record.stream)]
    redis.pcall('XACK', stream, GROUP, record.entry)
    redis.call('XDEL', stream, record.entry)
  end
end

local function enqueue(id, stream, queued_ms)
  local entry = redis.call('XADD', KEYS[stream], '*', 'id', id)
  redis.call('HSET', record_key(id), 'status', 'pending', 'stream', stream, 'entry', entry,
    'queued_ms', queued_ms or NOW)
  return entry
end

-- Fields a state change needs; read them once and hand the record on.
local STATE_FIELDS = {'stream', 'entry', 'owner', 'token', 'settled_token', 'attempts', 'retry_limit', 'worker_losses',
  'target', 'priority', 'bytes', 'ttl_seconds', 'idempotency', 'attempt_started_ms', 'deadline_ms', 'worker',
  'deferral_rank', 'released'}

local function read_state(id)
  return read_record(id, unpack(STATE_FIELDS))
end

-- The task leaves its worker: nobody owns it, and no stream entry speaks of it.
local function leave_worker(id, record)
  drop_entry(record)
  if record.status == 'processing' then
    count('processing', -1)
    count('processing:' .. record.target, -1)
  end
  redis.call('HDEL', record_key(id), 'owner', 'token', 'entry', 'stream')
end

-- A target's deferred tasks wait in two queues: pictures have their own, for they open no page, so a closed site must
-- not hold them up.
local PICTURES = ' pictures'

local function name_deferred_queue(id, record)
  return record.target .. (redis.call('HEXISTS', record_key(id), 'picture') == 1 and PICTURES or '')
end

local function deferred_key(queue)
  return DEFERRED .. ':' .. queue
end

-- A task's place in a deferred queue: by priority, then by the order of submission. NOW can't tell that order, for it
-- is the same for a whole batch; the stream entry's id does, with its sequence number within a millisecond.
local function rank_of(priority, entry)
  local ms, sequence = string.match(entry, '^(%d+)-(%d+)$')
  return string.format('%.0f', priority * 1e15 + ms * 100 + math.min(tonumber(sequence), 99))
end

local function defer(id, record, queue)
  redis.call('ZADD', deferred_key(queue), record.deferral_rank, id)
end

-- Queues the first deferred tasks again, to ask the target's limits anew. They are marked as released, or `take` would
-- defer them once more behind those that still wait. Returns how many were released, and how many still wait.
local function release_deferred(queue, most)
  local key, released = deferred_key(queue), 0
  for _, id in ipairs(redis.call('ZRANGE', key, 0, most - 1)) do
    redis.call('ZREM', key, id)
    local record = read_record(id, 'priority', 'queued_ms')
    if record and record.status == 'pending' then
      enqueue(id, tonumber(record.priority), record.queued_ms)
      redis.call('HSET', record_key(id), 'released', 1)
      released = released + 1
    end
  end
  local waiting = redis.call('ZCARD', key)
  if waiting == 0 then
    redis.call('ZREM', DEFERRED, queue)
    redis.call('HDEL', DEFERRED_PACES, queue)
  end
  return released, waiting
end

-- The task ends for good; fields are further pairs for its record.
local function finish(id, record, status, fields)
  local key = record_key(id)
  leave_worker(id, record)
  redis.call('ZREM', OPEN, id)
  if record.status == 'pending' then
    -- Wherever it waits: the record doesn't say, and removing what isn't there costs nothing.
    redis.call('ZREM', DELAYED, id)
    redis.call('ZREM', deferred_key(record.target), id)
    redis.call('ZREM', deferred_key(record.target .. PICTURES), id)
  end
  redis.call('HSET', key, 'status', status, 'completed_ms', NOW, unpack(fields))
  redis.call('HDEL', key, 'picture', 'session')
  redis.call('EXPIRE', key, record.ttl_seconds)
  if record.idempotency and record.idempotency ~= '' then
    redis.call('EXPIRE', PREFIX .. ':idempotency:' .. record.idempotency, record.ttl_seconds)
  end
  count(status, 1)
  count('queued_bytes', -tonumber(record.bytes))
  count('open:' .. record.target, -1)
  local history = PREFIX .. ':history:' .. math.floor(NOW / 60000)
  redis.call('HINCRBY', history, status, 1)
  if record.attempt_started_ms and status == 'completed' then
    redis.call('HINCRBY', history, 'processing_ms', NOW - record.attempt_started_ms)
  end
  redis.call('EXPIRE', history, HISTORY_SECONDS)
  publish(id, status, {target = record.target})
end

local function drop_oldest_dead(limit)
  local excess = redis.call('ZCARD', DEAD) - limit
  if excess > 0 then
    for _, id in ipairs(redis.call('ZRANGE', DEAD, 0, excess - 1)) do
      redis.call('DEL', PREFIX .. ':dead:' .. id)
      redis.call('ZREM', DEAD, id)
      count('dead_dropped', 1)
    end
  end
end

-- Evidence lies beside the records; `EVIDENCE` lists it as 'id bytes' by the time it expires.
local EVIDENCE = PREFIX .. ':evidence'

local function forget_evidence(members)
  for _, member in ipairs(members) do
    local id, size = string.match(member, '^(%S+) (%d+)$')
    redis.call('DEL', EVIDENCE .. ':' .. id)
    redis.call('ZREM', EVIDENCE, member)
    count('evidence_bytes', -tonumber(size))
  end
  return #members
end

local function forget_expired_evidence(most)
  return forget_evidence(redis.call('ZRANGEBYSCORE', EVIDENCE, '-inf', NOW, 'LIMIT', 0, most))
end

-- The task fails and is kept as a dead letter. It is copied first, since `finish` drops the picture from the record.
local function dead_letter(id, record, error, dead_limit, extra_fields)
  local key, letter = record_key(id), PREFIX .. ':dead:' .. id
  local fields = {'error', error}
  for _, value in ipairs(extra_fields or {}) do
    fields[#fields + 1] = value
  end
  local kept = redis.call('HMGET', key, 'request', 'picture', 'created_ms', 'attempts')
  redis.call('HSET', letter, 'request', kept[1], 'created_ms', kept[3], 'attempts', kept[4], 'error', error,
    'target', record.target, 'died_ms', NOW, 'worker', record.worker or '')
  if kept[2] then
    redis.call('HSET', letter, 'picture', kept[2])
  end
  redis.call('ZADD', DEAD, NOW, id)
  drop_oldest_dead(tonumber(dead_limit))
  count('dead_lettered', 1)
  finish(id, record, 'failed', fields)
end

-- The attempt counts as never begun, and the task goes ahead of all others: it has waited already.
local function hand_back(id, record)
  leave_worker(id, record)
  redis.call('HINCRBY', record_key(id), 'attempts', -1)
  enqueue(id, RECOVERED)
  publish(id, 'pending')
end

local function encode_error(code, message)
  return cjson.encode({code = code, message = message, is_retryable = code == 'worker_lost'})
end
