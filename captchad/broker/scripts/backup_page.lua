-- Copies what one zset of a partition lists, each with all that belongs to it: a task's record never differs from its place.
--
-- ARGV 1 what is copied: a room of broker/backup/entries.py   2 bytes after which no further one is copied,
-- then 'after', score and member of the last one copied (or '' and ''), most to copy; or 'named', members
-- Returns {now (ms), 1 at the end of the list or 0, for each: {member, score (false: not listed), ms left to live (-1: for ever,
--          -2: it is gone), its hash (flat list), its place: {} | {'queued'} | {'delayed', due (ms)} |
--          {'deferred', queue, rank, next release (ms) or false, pace or false, reason or false}, idempotency key's value or false}…}

local room, limit_bytes, mode = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local LISTS = {task = RECENT, dead = DEAD, evidence = EVIDENCE.key, answers = ANSWERS.key, callbacks = CALLBACKS.key,
  dead_callbacks = DEAD_CALLBACKS.key}
local list = LISTS[room]

local function list_members()
  local members, is_last = {}, 1
  if mode == 'named' then
    for at = 4, #ARGV do
      members[#members + 1] = ARGV[at]
    end
    return members, is_last
  end
  local score, member, most = ARGV[4], ARGV[5], tonumber(ARGV[6])
  if score ~= '' then
    for _, one in ipairs(redis.call('ZRANGEBYSCORE', list, score, score)) do
      if one > member then
        members[#members + 1] = one
      end
    end
  end
  if #members < most then
    local from, wanted = score == '' and '-inf' or '(' .. score, most - #members
    local further = redis.call('ZRANGEBYSCORE', list, from, '+inf', 'LIMIT', 0, wanted)
    for _, one in ipairs(further) do
      members[#members + 1] = one
    end
    is_last = #further < wanted and 1 or 0
  else
    is_last = 0
  end
  return members, is_last
end

local function find_place(id, record)
  local due_ms = redis.call('ZSCORE', DELAYED, id)
  if due_ms then
    return {'delayed', due_ms}
  end
  for _, queue in ipairs({record.target or '', (record.target or '') .. PICTURES}) do
    local rank = redis.call('ZSCORE', deferred_key(queue), id)
    if rank then
      return {'deferred', queue, rank, redis.call('ZSCORE', DEFERRED, queue), redis.call('HGET', DEFERRED_PACES, queue),
        redis.call('HGET', DEFERRED_REASONS, queue)}
    end
  end
  local stream = KEYS[tonumber(record.stream) or 0]
  if stream and record.entry and redis.call('XRANGE', stream, record.entry, record.entry)[1] then
    return {'queued'}
  end
  return {}
end

local bytes = 0
local function copy(member)
  local key = room == 'task' and record_key(member) or list .. ':' .. string.match(member, '^%S+')
  local row = {member, redis.call('ZSCORE', list, member), redis.call('PTTL', key), redis.call('HGETALL', key), {}, false}
  for index = 1, #row[4] do
    bytes = bytes + #row[4][index]
  end
  if room == 'task' and #row[4] > 0 then
    local record = read_record(member, 'target', 'stream', 'entry', 'idempotency')
    row[5] = find_place(member, record)
    if record.idempotency then
      row[6] = redis.call('GET', PREFIX .. ':idempotency:' .. record.idempotency)
    end
  end
  return row
end

local members, is_last = list_members()
local answer = {string.format('%.0f', NOW), is_last}
for index, member in ipairs(members) do
  answer[#answer + 1] = copy(member)
  if bytes > limit_bytes and index < #members then
    answer[2] = 0
    break
  end
end
return answer
