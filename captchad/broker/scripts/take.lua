-- Returns a worker as many tasks as it has free slots, highest priority first, and begins an attempt at each.
-- Tasks of a target whose earlier tasks are deferred are deferred behind them, with no attempt begun.
--
-- ARGV 1 consumer   2 worker's name   3 fence token of these attempts   4 free slots
-- Returns {{id, request, picture or '', session (sealed) or '', attempt, queued (ms), remaining (ms) to the deadline}…,
--          {last entry id of each stream}}: the ids are where waiting for more begins (none: there is more already)

local consumer, worker, token, free = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
-- Bounds how long one call blocks Redis when thousands of queued tasks belong to one limited site.
local MOST_DEFERRED = 500
local taken, deferred = {}, 0
local is_any_deferred = redis.call('EXISTS', DEFERRED) == 1

-- Defers the task if others of its target are deferred already, and returns whether it did. A released task is exempt,
-- for its rank has come; so is a lost worker's, which had begun before those that wait.
local function join_deferred(id, record, stream)
  if not is_any_deferred or record.released or stream == RECOVERED then
    return false
  end
  local queue = name_deferred_queue(id, record)
  if redis.call('EXISTS', deferred_key(queue)) == 0 then
    return false
  end
  leave_worker(id, record)
  defer(id, record, queue)
  deferred = deferred + 1
  return true
end

local function begin(id, stream, entry)
  local record = read_state(id)
  if record and record.status == 'processing' and record.entry == entry then
    -- Delivered a second time: the group was lost and made again, and with it every lease.
    hand_back(id, record)
    return
  end
  if not record or record.status ~= 'pending' or record.entry ~= entry then
    -- Left behind by a task that has ended or was queued anew.
    redis.call('XACK', KEYS[stream], GROUP, entry)
    redis.call('XDEL', KEYS[stream], entry)
    return
  end
  if tonumber(record.deadline_ms) <= NOW then
    finish(id, record, 'failed', {'error', encode_error('deadline_exceeded', 'the task did not end before its deadline')})
    return
  end
  if join_deferred(id, record, stream) then
    return
  end
  local key = record_key(id)
  local attempt = redis.call('HINCRBY', key, 'attempts', 1)
  if record.released then
    redis.call('HDEL', key, 'released')
  end
  redis.call('HSETNX', key, 'started_ms', NOW)
  redis.call('HSET', key, 'status', 'processing', 'owner', consumer, 'token', token, 'worker', worker,
    'attempt_started_ms', NOW)
  count('processing', 1)
  count('processing:' .. record.target, 1)
  local more = redis.call('HMGET', key, 'request', 'picture', 'session', 'queued_ms')
  taken[#taken + 1] = {id, more[1], more[2] or '', more[3] or '', attempt, NOW - more[4], record.deadline_ms - NOW}
  publish(id, 'processing', {target = record.target, worker = worker})
end

for stream = 1, 4 do
  while #taken < free and deferred < MOST_DEFERRED do
    local command = {'XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', free - #taken, 'STREAMS', KEYS[stream], '>'}
    local reply = redis.pcall(unpack(command))
    if reply and reply.err then
      ensure_group(KEYS[stream])
      reply = redis.call(unpack(command))
    end
    if not reply then
      break
    end
    for _, entry in ipairs(reply[1][2]) do
      begin(entry[2][2], stream, entry[1])
    end
  end
end

-- Read in here: what is queued after this call has a later id, so the wait that begins there can't miss it.
local last = {}
if #taken < free and deferred < MOST_DEFERRED then
  for stream = 1, 4 do
    local info = redis.call('XINFO', 'STREAM', KEYS[stream])
    for index = 1, #info, 2 do
      if info[index] == 'last-generated-id' then
        last[stream] = info[index + 1]
      end
    end
  end
end
taken[#taken + 1] = last
return taken
