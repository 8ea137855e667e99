-- What every partition script shares: the keys, the clock, and the only ways a task changes its state.
--
-- KEYS 1-4 streams: recovered, high, normal, low   5 open   6 delayed   7 recent   8 dead   9 counters   10 prefix
--      11 events (a channel)
-- A record is a hash; its fields are listed in broker/messages.py. Before this stands ENDS_UNCONFIRMED: whether replicas
-- must have the end of a task before anybody may read it.

local GROUP = 'workers'
local RECOVERED = 1
local OPEN, DELAYED, RECENT, DEAD, COUNTERS, PREFIX = KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local DEFERRED, DEFERRED_PACES = PREFIX .. ':deferred', PREFIX .. ':deferred_paces'
local DEFERRED_REASONS = PREFIX .. ':deferred_reasons'
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
  if amount == 0 then
    return
  end
  if redis.call('HINCRBY', COUNTERS, name, amount) == 0 and amount < 0 then
    redis.call('HDEL', COUNTERS, name)
  end
end

local function publish(id, status, extra)
  local event, kept = extra or {}, redis.call('HMGET', record_key(id), 'target', 'key_id')
  event.task_id, event.status, event.at_ms = id, status, NOW
  -- By these a listener is told of the tasks alone that it may see.
  event.target, event.key_id = kept[1] or nil, kept[2] or nil
  -- Without the right to publish, what is written counts all the same: whoever waits reads the record in the end.
  redis.pcall('PUBLISH', KEYS[11], cjson.encode(event))
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

-- How many entries of a stream wait to be delivered, and the first of them as {id, fields} (nil: none).
local function look_ahead(stream)
  local waiting, last = redis.call('XLEN', KEYS[stream]), '0-0'
  if waiting == 0 then
    return 0, nil
  end
  local groups = redis.pcall('XINFO', 'GROUPS', KEYS[stream])
  if not groups.err and groups[1] then
    for index = 1, #groups[1], 2 do
      if groups[1][index] == 'last-delivered-id' then
        last = groups[1][index + 1]
      elseif groups[1][index] == 'pending' then
        waiting = waiting - groups[1][index + 1]
      end
    end
  end
  return waiting, redis.call('XRANGE', KEYS[stream], '(' .. last, '+', 'COUNT', 1)[1]
end

-- Deleted as well as acknowledged: an entry that stayed would take memory for ever.
local function drop_entry(record)
  local stream = KEYS[tonumber(record.stream) or 0]
  if stream and record.entry and record.entry ~= '' then
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
  'deferral_rank', 'released', 'queued_ms', 'loss', 'ending', 'completed_ms', 'callback'}
-- What the scripts count with, and what they take where a record has no number there.
local NUMBERS = {attempts = 0, retry_limit = 0, worker_losses = 0, priority = 3, bytes = 0, ttl_seconds = 3600,
  deadline_ms = 0}
local LARGEST_NUMBER = 2 ^ 53

-- Redis's commands take no others, and one that refuses its number leaves the script half done.
local function is_whole(number)
  return number and number == math.floor(number) and math.abs(number) <= LARGEST_NUMBER
end

-- A damaged record is marked and made good enough to be ended: an error here would end no task behind it either.
local function read_state(id)
  local record = read_record(id, unpack(STATE_FIELDS))
  if not record then
    return nil
  end
  -- A setting once allowed results to be kept for longer than Redis can count.
  if (tonumber(record.ttl_seconds) or 0) > LARGEST_NUMBER then
    record.ttl_seconds = LARGEST_NUMBER
  end
  for name, substitute in pairs(NUMBERS) do
    if not is_whole(tonumber(record[name])) then
      record[name], record.is_corrupt = substitute, true
    end
  end
  if not KEYS[tonumber(record.priority)] or tonumber(record.priority) > 4 then
    record.priority, record.is_corrupt = NUMBERS.priority, true
  end
  if not record.target then
    record.target, record.is_corrupt = '', true
  end
  record.attempt_started_ms = tonumber(record.attempt_started_ms)
  return record
end

-- Queues a task that has waited elsewhere; one that has lost a worker where it can be taken alone.
local function enqueue_again(id, record, queued_ms)
  if tonumber(record.worker_losses) > 0 then
    enqueue(id, RECOVERED)
  else
    enqueue(id, tonumber(record.priority), queued_ms)
  end
end

-- The task leaves its worker: nobody owns it, and no stream entry speaks of it.
local function leave_worker(id, record)
  drop_entry(record)
  if record.status == 'processing' then
    count('processing', -1)
    count('processing:' .. record.target, -1)
  end
  redis.call('HDEL', record_key(id), 'owner', 'token', 'entry', 'stream', 'loss')
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
  redis.call('ZADD', deferred_key(queue), tonumber(record.deferral_rank) and record.deferral_rank or 0, id)
end

-- Queues the first deferred tasks again, to ask the target's limits anew. They are marked as released, or `take` would
-- defer them once more behind those that still wait. Returns how many were released, and how many still wait.
local function release_deferred(queue, most)
  local key, released = deferred_key(queue), 0
  for _, id in ipairs(redis.call('ZRANGE', key, 0, most - 1)) do
    redis.call('ZREM', key, id)
    local record = read_state(id)
    if record and record.status == 'pending' then
      enqueue_again(id, record, record.queued_ms)
      redis.call('HSET', record_key(id), 'released', 1)
      released = released + 1
    end
  end
  local waiting = redis.call('ZCARD', key)
  if waiting == 0 then
    redis.call('ZREM', DEFERRED, queue)
    redis.call('HDEL', DEFERRED_PACES, queue)
    redis.call('HDEL', DEFERRED_REASONS, queue)
  end
  return released, waiting
end

-- A callback lies apart from its task's record, which expires sooner, and waits among those of its receiver's host, so that
-- one that is down holds up no other. `CALLBACKS.key` lists them by when their tasks ended, +inf until then.
local CALLBACKS = {key = PREFIX .. ':callbacks'}
local CALLBACK_HOSTS = PREFIX .. ':callback_hosts'
-- An older release ends a task without telling its callback, so that now and then its record is looked at.
local CALLBACK_CHECK_MS = 60000
local CALLBACK_FIELDS = {'status', 'request', 'created_ms', 'attempts', 'answers', 'started_ms', 'completed_ms', 'worker',
  'result', 'error', 'replay_of', 'evidence', 'target', 'priority', 'returned_session'}

local function callback_key(id)
  return CALLBACKS.key .. ':' .. id
end

local function schedule_callback(id, host, due_ms)
  redis.call('ZADD', CALLBACK_HOSTS, 0, host)
  redis.call('ZADD', PREFIX .. ':callbacks_due:' .. host, due_ms, id)
end

local function count_callback(host, number, size)
  count('callbacks:' .. host, number)
  count('callback_bytes:' .. host, size)
end

-- Makes the callback of a task that has not ended; `receiver` is 'HOST URL', as its record has it.
local function add_callback(id, receiver, request)
  local host, url = string.match(receiver, '^(%S+) (%S+)$')
  local size = #url + #request
  redis.call('HSET', callback_key(id), 'host', host, 'url', url, 'tries', 0, 'bytes', size)
  redis.call('ZADD', CALLBACKS.key, '+inf', id)
  count_callback(host, 1, size)
  schedule_callback(id, host, NOW + CALLBACK_CHECK_MS)
end

-- The task has ended: copies what is sent of its record, and lets it be sent.
local function release_callback(id, receiver)
  local key, kept = callback_key(id), redis.call('HMGET', record_key(id), unpack(CALLBACK_FIELDS))
  -- It is missing where a backup was made while the task ran.
  if redis.call('EXISTS', key) == 0 then
    add_callback(id, receiver, kept[2] or '')
  end
  local fields, size = {'since_ms', NOW}, 0
  for index, name in ipairs(CALLBACK_FIELDS) do
    if kept[index] then
      fields[#fields + 1] = name
      fields[#fields + 1] = kept[index]
      size = size + (name == 'request' and 0 or #kept[index])
    end
  end
  redis.call('HSET', key, unpack(fields))
  redis.call('HINCRBY', key, 'bytes', size)
  local host = redis.call('HGET', key, 'host')
  count_callback(host, 0, size)
  redis.call('ZADD', CALLBACKS.key, NOW, id)
  schedule_callback(id, host, NOW)
end

-- Makes the end that `finish` wrote final: it is readable, counted and published from here on.
local function publish_end(id, record, status)
  local key = record_key(id)
  redis.call('ZREM', OPEN, id)
  redis.call('HSET', key, 'status', status)
  redis.call('HDEL', key, 'picture', 'session', 'ending')
  redis.call('EXPIRE', key, record.ttl_seconds)
  if record.idempotency and record.idempotency ~= '' then
    redis.call('EXPIRE', PREFIX .. ':idempotency:' .. record.idempotency, record.ttl_seconds)
  end
  count(status, 1)
  count('queued_bytes', -tonumber(record.bytes))
  count('open:' .. record.target, -1)
  local history = PREFIX .. ':history:' .. math.floor(record.completed_ms / 60000)
  redis.call('HINCRBY', history, status, 1)
  if record.attempt_started_ms and status == 'completed' then
    redis.call('HINCRBY', history, 'processing_ms', record.completed_ms - record.attempt_started_ms)
  end
  redis.call('EXPIRE', history, HISTORY_SECONDS)
  if record.callback then
    release_callback(id, record.callback)
  end
  publish(id, status, {target = record.target, callback = record.callback and true or nil})
end

-- An end that replicas must have first: the task counts and shows as processing, and nothing but `confirm` changes it.
-- The ending names this end alone, also where a failover has another attempt end the task anew.
local function leave_unconfirmed(id, record, status)
  local ending = status .. ' ' .. NOW .. ' ' .. (record.token or '')
  redis.call('HSET', record_key(id), 'status', 'unconfirmed', 'ending', ending)
  -- Behind every deadline: it can't expire any more, and is found there by whoever confirms.
  redis.call('ZADD', OPEN, '+inf', id)
  count('processing', 1)
  count('processing:' .. record.target, 1)
  return 'unconfirmed ' .. ending
end

-- The task ends for good; fields are further pairs for its record. Returns its status, or 'unconfirmed ENDING'.
local function finish(id, record, status, fields)
  leave_worker(id, record)
  if record.status == 'pending' then
    -- Wherever it waits: the record doesn't say, and removing what isn't there costs nothing.
    redis.call('ZREM', DELAYED, id)
    redis.call('ZREM', deferred_key(record.target), id)
    redis.call('ZREM', deferred_key(record.target .. PICTURES), id)
  end
  redis.call('HSET', record_key(id), 'completed_ms', NOW, unpack(fields))
  if ENDS_UNCONFIRMED then
    return leave_unconfirmed(id, record, status)
  end
  record.completed_ms = NOW
  publish_end(id, record, status)
  return status
end

local function counted(name)
  return tonumber(redis.call('HGET', COUNTERS, name) or '0')
end

-- What failed for good, tasks and callbacks each in a room of their own: KEY lists them by when they died, KEY:ID has them.
local LETTERS = {key = DEAD, bytes = 'dead_bytes', dropped = 'dead_dropped'}
local DEAD_CALLBACKS = {key = PREFIX .. ':dead_callbacks', bytes = 'dead_callback_bytes', dropped = 'callbacks_dropped'}

local function forget_dead(room, id)
  local key = room.key .. ':' .. id
  count(room.bytes, -(tonumber(redis.call('HGET', key, 'bytes')) or 0))
  redis.call('DEL', key)
  redis.call('ZREM', room.key, id)
end

-- Limits are 'LETTERS BYTES': how many are kept, and how many bytes they may have together.
local function drop_oldest_dead(room, limits)
  local most_letters, most_bytes = string.match(limits, '^(%d+) (%d+)$')
  while redis.call('ZCARD', room.key) > tonumber(most_letters) or counted(room.bytes) > tonumber(most_bytes) do
    local oldest = redis.call('ZRANGE', room.key, 0, 0)[1]
    if not oldest then
      -- Bytes are counted for letters that are not there: without a fresh count this would never end.
      redis.call('HDEL', COUNTERS, room.bytes)
      return
    end
    forget_dead(room, oldest)
    count(room.dropped, 1)
  end
end

-- Pictures lie beside the records, of each kind in a room of its own: KEY lists them as 'id bytes' by the time they
-- expire, KEY:ID has them, and two counters say how many bytes there are and how many were dropped early.
local EVIDENCE = {key = PREFIX .. ':evidence', bytes = 'evidence_bytes', dropped = 'evidence_dropped'}
local ANSWERS = {key = PREFIX .. ':answers', bytes = 'answer_bytes', dropped = 'answers_dropped'}

local function forget_pictures(room, members)
  for _, member in ipairs(members) do
    local id, size = string.match(member, '^(%S+) (%d+)$')
    redis.call('DEL', room.key .. ':' .. id)
    redis.call('ZREM', room.key, member)
    count(room.bytes, -tonumber(size))
  end
  return #members
end

local function forget_expired_pictures(room, most)
  return forget_pictures(room, redis.call('ZRANGEBYSCORE', room.key, '-inf', NOW, 'LIMIT', 0, most))
end

-- The task fails and is kept as a dead letter. It is copied first, since the end drops the picture from the record.
local function dead_letter(id, record, error, dead_limits, extra_fields)
  local key, letter = record_key(id), PREFIX .. ':dead:' .. id
  local fields = {'error', error}
  for _, value in ipairs(extra_fields or {}) do
    fields[#fields + 1] = value
  end
  local kept = redis.call('HMGET', key, 'request', 'picture', 'created_ms', 'callback')
  local request, size = kept[1] or '', #(kept[1] or '') + #(kept[2] or '')
  redis.call('HSET', letter, 'request', request, 'created_ms', kept[3] or NOW, 'attempts', record.attempts,
    'error', error, 'target', record.target, 'died_ms', NOW, 'worker', record.worker or '', 'bytes', size)
  if kept[2] then
    redis.call('HSET', letter, 'picture', kept[2])
  end
  if kept[4] then
    redis.call('HSET', letter, 'callback', kept[4])
  end
  redis.call('ZADD', DEAD, NOW, id)
  count('dead_bytes', size)
  drop_oldest_dead(LETTERS, dead_limits)
  count('dead_lettered', 1)
  return finish(id, record, 'failed', fields)
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
