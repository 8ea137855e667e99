-- Returns a worker as many tasks as it has free slots, and begins an attempt at each: first the tasks of lost workers, then
-- by priority. Every tenth task comes from a lower priority, so that none starves. While other workers have free slots
-- too, a worker takes no more than its share of what waits. A task that has lost a worker runs alone in its process.
-- Tasks of a target whose earlier tasks are deferred are deferred behind them, with no attempt begun.
--
-- ARGV 1 consumer   2 worker's name   3 fence token of these attempts   4 free slots   5 1 if its process runs nothing
--      6 how long it counts as having free slots if it gets too few tasks (ms)
-- Returns {{id, request, picture or '', session (sealed) or '', attempt, queued (ms), remaining (ms) to the deadline,
--           how long its process must run nothing else (ms), answers sent so far}…,
--          {last entry id of each stream}, ms after which to ask again even if nothing is queued (0: whenever)}
-- The ids are where waiting for more begins (none: there is more already).

local consumer, worker, token, free, is_process_free = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1'
local idle_ms = tonumber(ARGV[6])
local LOWER_SHARE = 10
-- Long enough for the others to take what they were left.
local SHARE_PAUSE_MS = 100
-- A task that has lost a worker waits so long for a process that runs nothing else; together with the lease and the
-- reclaimer's tick that stays below ten seconds.
local ALONE_WAIT_MS = 3000
-- So long it is alone, by how many workers it has lost. It is longer for one that was lost again beside others.
local ALONE_MS = {3000, 60000}
-- Bounds how long one call blocks Redis when thousands of queued tasks belong to one limited site.
local MOST_DEFERRED = 500
local FREE_SLOTS = PREFIX .. ':free_slots'
local taken, deferred, is_alone, ask_again_ms = {}, 0, false, 0
local has_ended = {}
local is_any_deferred = redis.call('EXISTS', DEFERRED) == 1
-- How many tasks of all priorities this partition has given out, ever: every tenth turn is a lower priority's.
local turn = tonumber(redis.call('HGET', COUNTERS, 'taken') or '0')

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

-- Ends what can't or must not be begun, and returns whether it did.
local function settle_aside(id, record, stream, entry)
  if record and record.status == 'processing' and record.entry == entry then
    -- Delivered a second time: the group was lost and made again, and with it every lease.
    hand_back(id, record)
  elseif not record or record.status ~= 'pending' or record.entry ~= entry then
    -- Left behind by a task that has ended or was queued anew.
    redis.call('XACK', KEYS[stream], GROUP, entry)
    redis.call('XDEL', KEYS[stream], entry)
  elseif record.is_corrupt then
    finish(id, record, 'failed', {'error', encode_error('unreadable_record', 'the task\'s record is damaged')})
  elseif tonumber(record.deadline_ms) <= NOW then
    finish(id, record, 'failed', {'error', encode_error('deadline_exceeded', 'the task did not end before its deadline')})
  else
    return join_deferred(id, record, stream)
  end
  return true
end

local function begin(id, stream, entry)
  local record = read_state(id)
  if settle_aside(id, record, stream, entry) then
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
  local more = redis.call('HMGET', key, 'request', 'picture', 'session', 'answers')
  local queued_ms = tonumber(record.queued_ms) or NOW
  taken[#taken + 1] = {id, more[1] or '', more[2] or '', more[3] or '', attempt, NOW - queued_ms,
    record.deadline_ms - NOW, 0, tonumber(more[4]) or 0}
  turn = turn + 1
  publish(id, 'processing', {target = record.target, worker = worker})
end

-- Begins up to so many tasks of a stream; returns whether there were any entries.
local function take_from(stream, most)
  local command = {'XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', most, 'STREAMS', KEYS[stream], '>'}
  local reply = redis.pcall(unpack(command))
  if reply and reply.err then
    ensure_group(KEYS[stream])
    reply = redis.call(unpack(command))
  end
  for _, entry in ipairs(reply and reply[1][2] or {}) do
    begin(entry[2][2], stream, entry[1])
  end
  return reply and true or false
end

-- The worker's share of what waits: by its free slots, of those of all workers that have some.
local function find_share()
  redis.call('HDEL', FREE_SLOTS, consumer)
  local others, found = 0, redis.call('HGETALL', FREE_SLOTS)
  for index = 1, #found, 2 do
    local until_ms, slots = string.match(found[index + 1], '^(%d+) (%d+)$')
    if tonumber(until_ms) > NOW then
      others = others + tonumber(slots)
    else
      redis.call('HDEL', FREE_SLOTS, found[index])
    end
  end
  if others == 0 then
    return free
  end
  local waiting = 0
  for stream = 1, 4 do
    waiting = waiting + look_ahead(stream)
  end
  return math.max(1, math.min(free, math.ceil(waiting * free / (free + others))))
end

-- Tasks of lost workers. One that may have killed its worker is begun alone: where nothing else runs, and nothing after
-- it. If there is no such process for a while, it runs beside others all the same.
local function take_recovered(most)
  while #taken < most do
    local _, entry = look_ahead(RECOVERED)
    if not entry then
      return
    end
    local known = redis.call('HMGET', record_key(entry[2][2]), 'worker_losses', 'queued_ms')
    local losses, waited_ms = tonumber(known[1]) or 0, NOW - (tonumber(known[2]) or 0)
    local must_wait = losses > 0 and waited_ms < ALONE_WAIT_MS
    if must_wait and not (is_process_free and #taken == 0) then
      ask_again_ms = ALONE_WAIT_MS - waited_ms
      return
    end
    local may_be_alone = is_process_free and #taken == 0 and (must_wait or losses > 1)
    take_from(RECOVERED, 1)
    if may_be_alone and #taken == 1 then
      taken[1][8], is_alone = ALONE_MS[math.min(losses, #ALONE_MS)], true
      return
    end
  end
end

-- Of the priorities below the highest that has tasks, the one whose first task has waited longest; nil without any.
local function find_neglected()
  local is_below, neglected, oldest_ms = false, nil, nil
  for stream = RECOVERED + 1, 4 do
    local _, first = look_ahead(stream)
    local queued_ms = first and not has_ended[stream] and tonumber(string.match(first[1], '^(%d+)-'))
    if is_below and queued_ms and (not oldest_ms or queued_ms < oldest_ms) then
      neglected, oldest_ms = stream, queued_ms
    end
    is_below = is_below or first ~= nil
  end
  return neglected
end

-- Which priority is next, and how many of its tasks may be taken before that is asked again; nil once nothing waits.
local function choose()
  local until_lower = LOWER_SHARE - 1 - turn % LOWER_SHARE
  if until_lower == 0 then
    local neglected = find_neglected()
    if neglected then
      return neglected, 1
    end
    until_lower = LOWER_SHARE
  end
  for stream = RECOVERED + 1, 4 do
    if not has_ended[stream] then
      return stream, until_lower
    end
  end
end

local first_turn, share = turn, find_share()
take_recovered(share)
while not is_alone and #taken < share and deferred < MOST_DEFERRED do
  local stream, most = choose()
  if not stream then
    break
  end
  has_ended[stream] = not take_from(stream, math.min(most, share - #taken))
end
count('taken', turn - first_turn)

-- Read in here: what is queued after this call has a later id, so the wait that begins there can't miss it.
local last = {}
if not is_alone and #taken < free and deferred < MOST_DEFERRED then
  for stream = 1, 4 do
    if redis.call('EXISTS', KEYS[stream]) == 0 then
      ensure_group(KEYS[stream])
    end
    local info = redis.call('XINFO', 'STREAM', KEYS[stream])
    for index = 1, #info, 2 do
      if info[index] == 'last-generated-id' then
        last[stream] = info[index + 1]
      end
    end
  end
  if #taken == share then
    ask_again_ms = SHARE_PAUSE_MS
  elseif ask_again_ms == 0 then
    redis.call('HSET', FREE_SLOTS, consumer, string.format('%.0f %d', NOW + idle_ms, free - #taken))
    redis.call('PEXPIRE', FREE_SLOTS, idle_ms)
  end
end
taken[#taken + 1] = last
taken[#taken + 1] = ask_again_ms
return taken
