-- Writes the outcomes of a batch of attempts, each only if the attempt still is its caller's.
--
-- ARGV 1 consumer   2 dead letter limits   3 first retry delay (ms)   4 longest retry delay (ms)   5 evidence limit (bytes)
--      6 limit (bytes) of labels on their way, and of answers that may be reported on   7 worker's name,
-- then for each attempt: id, token, outcome (one of broker/consumer.py's), result,
-- error, (deferred) {delay_ms, pace_ms, reason} or (passed_on) {delay_ms} as JSON, or '', jitter (0.5..1) of the delay, the page's session (sealed) or '',
-- its evidence: what is kept (JSON), picture, screenshot, each or ''; where labels are collected its target, else '', the
-- picture of the answer that a caller may report on or '', and the number of judged answers, each with text, verdict, picture
-- Returns for each the task's status now ('unconfirmed ENDING' where `confirm` must follow), 'duplicate' where this very
-- attempt was settled before, or 'refused'

local FIELDS, ANSWER_FIELDS = 12, 3
local consumer, dead_limits, first_delay_ms, longest_delay_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local evidence_limit_bytes, label_limit_bytes, worker = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]

-- Makes room by dropping what expires first; what is larger than the whole limit isn't kept at all, nor is anything while
-- Redis is full: outcomes go first. Returns whether it was kept.
local function keep_pictures(room, id, record, size, limit_bytes, fields)
  if size == 0 then
    return false
  end
  if IS_FULL or size > limit_bytes then
    count(room.dropped, 1)
    return false
  end
  while counted(room.bytes) + size > limit_bytes do
    if forget_expired_pictures(room, 1) == 0 then
      local dropped = forget_pictures(room, redis.call('ZRANGE', room.key, 0, 0))
      if dropped == 0 then
        -- Bytes are counted for pictures that are not there: without a fresh count this would never end.
        redis.call('HDEL', COUNTERS, room.bytes)
      end
      count(room.dropped, dropped)
    end
  end
  local key, life_ms = room.key .. ':' .. id, record.ttl_seconds * 1000
  redis.call('HSET', key, unpack(fields))
  redis.call('PEXPIRE', key, life_ms)
  -- With the microseconds as a fraction: of two that were kept in one millisecond the older one goes first.
  redis.call('ZADD', room.key, NOW + life_ms + time[2] % 1000 / 1000, id .. ' ' .. size)
  count(room.bytes, size)
  return true
end

local function keep_evidence(id, record, evidence)
  local fields = {'picture', evidence.picture, 'screenshot', evidence.screenshot}
  local size = #evidence.picture + #evidence.screenshot
  if keep_pictures(EVIDENCE, id, record, size, evidence_limit_bytes, fields) then
    redis.call('HSET', record_key(id), 'evidence', evidence.kept)
  end
end

-- Numbers an answer of the task; a label's id is its task and this number, so that the same answer has the same id for ever.
local function number_answer(id)
  return id .. '-' .. redis.call('HINCRBY', record_key(id), 'answers_numbered', 1)
end

-- Hands on what the site has said of this attempt's answers. Returns the last one's id and picture, nil without any.
local function hand_on_labels(id, answers)
  local label_id, picture
  for _, answer in ipairs(answers.judged) do
    label_id, picture = number_answer(id), answer.picture
    add_label({id = label_id, host = answers.host, text = answer.text, verdict = answer.verdict, origin = 'verified',
      task_id = id, who = worker, picture = picture}, label_limit_bytes)
  end
  return label_id, picture
end

-- Keeps the picture of the task's final answer for as long as its caller may report on it.
local function keep_answer(id, record, answers, label_id, picture)
  if answers.host == '' then
    return
  end
  if answers.picture ~= '' then
    label_id, picture = number_answer(id), answers.picture
  end
  if label_id then
    keep_pictures(ANSWERS, id, record, #picture, label_limit_bytes,
      {'host', answers.host, 'label_id', label_id, 'picture', picture})
  end
end

local function retry_later(id, record, payload, token, jitter)
  -- The bound keeps the power finite; the longest delay is reached long before.
  local exponent = math.min(tonumber(record.attempts) - 1, 20)
  local delay_ms = math.floor(math.min(first_delay_ms * 2 ^ exponent, longest_delay_ms) * jitter)
  leave_worker(id, record)
  redis.call('HSET', record_key(id), 'status', 'pending', 'error', payload, 'settled_token', token)
  redis.call('ZADD', DELAYED, NOW + delay_ms, id)
  count('retried', 1)
  publish(id, 'pending', {delay_ms = delay_ms})
  return 'pending'
end

-- No attempt was made: it counts as never begun.
local function undo_attempt(id, record, token)
  local key = record_key(id)
  leave_worker(id, record)
  if redis.call('HINCRBY', key, 'attempts', -1) == 0 then
    redis.call('HDEL', key, 'started_ms', 'worker')
  end
  redis.call('HSET', key, 'status', 'pending', 'settled_token', token)
end

-- The target's limits refused the attempt: the task is deferred.
local function defer_attempt(id, record, payload, token)
  local deferral, queue = cjson.decode(payload), name_deferred_queue(id, record)
  undo_attempt(id, record, token)
  defer(id, record, queue)
  redis.call('ZADD', DEFERRED, NOW + deferral.delay_ms, queue)
  redis.call('HSET', DEFERRED_PACES, queue, deferral.pace_ms)
  redis.call('HSET', DEFERRED_REASONS, queue, deferral.reason or 'rate')
  publish(id, 'pending', {delay_ms = deferral.delay_ms})
  return 'pending'
end

-- The worker's release can't read the task, so another's may have it.
local function pass_on(id, record, payload, token)
  local delay_ms = cjson.decode(payload).delay_ms
  undo_attempt(id, record, token)
  redis.call('ZADD', DELAYED, NOW + delay_ms, id)
  publish(id, 'pending', {delay_ms = delay_ms})
  return 'pending'
end

local function settle(id, token, outcome, payload, jitter, session, evidence, answers)
  local record = read_state(id)
  if not record then
    return 'refused'
  end
  if record.status ~= 'processing' or record.owner ~= consumer or record.token ~= token then
    -- The reply to the first call may have been lost: the caller must learn that its outcome was written.
    if record.settled_token ~= token then
      return 'refused'
    end
    return record.status == 'unconfirmed' and 'unconfirmed ' .. record.ending or 'duplicate'
  end
  if outcome == 'handed_back' then
    hand_back(id, record)
    redis.call('HSET', record_key(id), 'settled_token', token)
    return 'pending'
  end
  if outcome == 'deferred' then
    return defer_attempt(id, record, payload, token)
  end
  if outcome == 'passed_on' then
    return pass_on(id, record, payload, token)
  end
  local label_id, picture = hand_on_labels(id, answers)
  local is_retryable = outcome == 'retryable'
  if is_retryable and tonumber(record.attempts) <= tonumber(record.retry_limit) then
    return retry_later(id, record, payload, token, jitter)
  end
  keep_evidence(id, record, evidence)
  if outcome == 'completed' then
    redis.call('HDEL', record_key(id), 'error')
    keep_answer(id, record, answers, label_id, picture)
    if session ~= '' then
      redis.call('HSET', record_key(id), 'returned_session', session)
    end
    return finish(id, record, 'completed', {'result', payload, 'settled_token', token})
  end
  if is_retryable or outcome == 'exhausted' then
    return dead_letter(id, record, payload, dead_limits, {'settled_token', token})
  end
  return finish(id, record, 'failed', {'error', payload, 'settled_token', token})
end

local replies, at = {}, 8
while at <= #ARGV do
  local evidence = {kept = ARGV[at + 6], picture = ARGV[at + 7], screenshot = ARGV[at + 8]}
  local answers, after = {host = ARGV[at + 9], picture = ARGV[at + 10], judged = {}}, at + FIELDS
  for index = 1, tonumber(ARGV[at + 11]) do
    answers.judged[index] = {text = ARGV[after], verdict = ARGV[after + 1], picture = ARGV[after + 2]}
    after = after + ANSWER_FIELDS
  end
  replies[#replies + 1] = settle(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4]),
    ARGV[at + 5], evidence, answers)
  at = after
end
return replies
