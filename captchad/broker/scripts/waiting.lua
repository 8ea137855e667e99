-- Says what pending tasks that are in no queue wait for.
--
-- ARGV ids
-- Returns for each {reason: 'retry', 'rate', 'concurrency' or 'closed' ('': nothing, it is queued),
--                   until when (ms since 1970; -1: nobody can tell), its target}

local function find_deferred_queue(id)
  local target = redis.call('HGET', record_key(id), 'target') or ''
  for _, queue in ipairs({target, target .. PICTURES}) do
    local place = redis.call('ZRANK', deferred_key(queue), id)
    if place then
      return queue, place
    end
  end
end

local answers = {}
for _, id in ipairs(ARGV) do
  local due_ms = redis.call('ZSCORE', DELAYED, id)
  local queue, place = nil, nil
  if not due_ms then
    queue, place = find_deferred_queue(id)
  end
  if due_ms then
    answers[#answers + 1] = {'retry', tonumber(due_ms), ''}
  elseif not queue then
    answers[#answers + 1] = {'', -1, ''}
  else
    local reason = redis.call('HGET', DEFERRED_REASONS, queue) or 'rate'
    local first_ms = redis.call('ZSCORE', DEFERRED, queue)
    local pace_ms = tonumber(redis.call('HGET', DEFERRED_PACES, queue) or '0')
    local is_known = first_ms and reason ~= 'concurrency'
    local target = redis.call('HGET', record_key(id), 'target') or ''
    answers[#answers + 1] = {reason, is_known and first_ms + place * pace_ms or -1, target}
  end
end
return answers
