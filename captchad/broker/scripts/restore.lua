-- Puts back what a backup has of a partition; what would have expired by now stays away.
--
-- ARGV 1 what is put back, 2 when the partition's counters were read (ms): what happened later isn't counted in them yet, then for each
--      task: id, listed (score), expires (ms) or '', status's place: stream or '', end of waiting (score in `open`) or '', due (ms)
--            or '', deferred queue or '', rank, next release (ms) or '', pace or '', reason or '', number of fields, fields (flat list)
--      dead, evidence, answers, callbacks, dead_callbacks: member, score, expires (ms) or '', number of fields, fields (flat list)
--      label: number of fields, fields (flat list)
-- Returns for each 1, or 0 where it has expired

local room, counted_ms, at = ARGV[1], tonumber(ARGV[2]), 3
local answers = {}

local function next_argument()
  at = at + 1
  return ARGV[at - 1]
end

local function next_fields()
  local fields = {}
  for index = 1, tonumber(next_argument()) do
    fields[index] = next_argument()
  end
  return fields
end

local function is_expired(expires_ms)
  return expires_ms ~= '' and tonumber(expires_ms) <= NOW
end

local function keep_until(key, expires_ms)
  if expires_ms ~= '' then
    redis.call('PEXPIRE', key, string.format('%.0f', expires_ms - NOW))
  end
end

-- What has happened since the counters were read, as far as the record tells.
local function count_late(id, record)
  local status, ended_ms = record.status, tonumber(record.completed_ms) or 0
  if (tonumber(record.created_ms) or 0) > counted_ms then
    count('submitted', 1)
  end
  if ended_ms <= counted_ms or (status ~= 'completed' and status ~= 'failed' and status ~= 'cancelled') then
    return
  end
  count(status, 1)
  local history = PREFIX .. ':history:' .. math.floor(ended_ms / 60000)
  if ended_ms + HISTORY_SECONDS * 1000 > NOW then
    redis.call('HINCRBY', history, status, 1)
    redis.call('EXPIRE', history, HISTORY_SECONDS)
  end
end

local function put_aside(id, place)
  if place.due ~= '' then
    redis.call('ZADD', DELAYED, place.due, id)
  elseif place.queue ~= '' then
    redis.call('ZADD', deferred_key(place.queue), place.rank, id)
    redis.call('ZADD', DEFERRED, place.next ~= '' and place.next or NOW, place.queue)
    redis.call('HSET', DEFERRED_PACES, place.queue, place.pace ~= '' and place.pace or 0)
    redis.call('HSET', DEFERRED_REASONS, place.queue, place.reason ~= '' and place.reason or 'rate')
  end
end

local function put_task()
  local id, score, expires_ms, stream, open = next_argument(), next_argument(), next_argument(), next_argument(), next_argument()
  local place = {due = next_argument(), queue = next_argument(), rank = next_argument(), next = next_argument(),
    pace = next_argument(), reason = next_argument()}
  local fields, key = next_fields(), record_key(id)
  if is_expired(expires_ms) then
    return 0
  end
  redis.call('HSET', key, unpack(fields))
  keep_until(key, expires_ms)
  redis.call('ZADD', RECENT, score, id)
  local record = read_record(id, 'target', 'bytes', 'created_ms', 'completed_ms', 'queued_ms')
  if open ~= '' then
    redis.call('ZADD', OPEN, open, id)
    count('queued_bytes', tonumber(record.bytes) or 0)
    count('open:' .. (record.target or ''), 1)
    if record.status == 'unconfirmed' then
      count('processing', 1)
      count('processing:' .. (record.target or ''), 1)
    end
  end
  if stream ~= '' then
    enqueue(id, tonumber(stream), record.queued_ms or NOW)
  end
  put_aside(id, place)
  count_late(id, record)
  return 1
end

local ROOMS = {dead = LETTERS, evidence = EVIDENCE, answers = ANSWERS, callbacks = CALLBACKS, dead_callbacks = DEAD_CALLBACKS}

local function put_listed()
  local member, score, expires_ms, fields = next_argument(), next_argument(), next_argument(), next_fields()
  if is_expired(expires_ms) then
    return 0
  end
  local id, size = string.match(member, '^(%S+) ?(%d*)$')
  local key = ROOMS[room].key .. ':' .. id
  redis.call('HSET', key, unpack(fields))
  keep_until(key, expires_ms)
  redis.call('ZADD', ROOMS[room].key, score, member)
  local bytes = tonumber(size ~= '' and size or redis.call('HGET', key, 'bytes')) or 0
  if room == 'callbacks' then
    local host = redis.call('HGET', key, 'host')
    count_callback(host, 1, bytes)
    schedule_callback(id, host, NOW)
  else
    count(ROOMS[room].bytes, bytes)
  end
  if room == 'dead' and tonumber(score) > counted_ms then
    count('dead_lettered', 1)
  end
  return 1
end

local function put_label()
  local fields = next_fields()
  redis.call('XADD', PREFIX .. ':labels', '*', unpack(fields))
  count('label_bytes', tonumber(fields[2]) or 0)
  return 1
end

local put = room == 'task' and put_task or room == 'label' and put_label or put_listed
while at <= #ARGV do
  answers[#answers + 1] = put()
end
return answers
