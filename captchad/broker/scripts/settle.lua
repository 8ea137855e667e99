-- Writes the outcomes of a batch of attempts, each only if the attempt still is its caller's.
--
-- ARGV 1 consumer   2 dead letter limits   3 first retry delay (ms)   4 longest retry delay (ms)   5 evidence limit (bytes),
-- then for each attempt: id, token, outcome (one of broker/consumer.py's), result,
-- error, (deferred) {delay_ms, pace_ms, reason} or (passed_on) {delay_ms} as JSON, or '', jitter (0.5..1) of the delay, the page's session (sealed) or '',
-- and its evidence: what is kept (JSON), picture, screenshot, each or ''
-- Returns for each the task's status now ('unconfirmed ENDING' where `confirm` must follow), 'duplicate' where this very
-- attempt was settled before, or 'refused'

local FIELDS = 9
local consumer, dead_limits, first_delay_ms, longest_delay_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local evidence_limit_bytes = tonumber(ARGV[5])

local function evidence_bytes()
  return tonumber(redis.call('HGET', COUNTERS, 'evidence_bytes') or '0')
end

-- Makes room by dropping what expires first; evidence larger than the whole limit isn't kept at all, nor is any while Redis
-- is full: outcomes go first.
local function keep_evidence(id, record, evidence)
  local size = #evidence.picture + #evidence.screenshot
  if size == 0 then
    return
  end
  if IS_FULL or size > evidence_limit_bytes then
    count('evidence_dropped', 1)
    return
  end
  while evidence_bytes() + size > evidence_limit_bytes do
    if forget_expired_evidence(1) == 0 then
      local dropped = forget_evidence(redis.call('ZRANGE', EVIDENCE, 0, 0))
      if dropped == 0 then
        -- Bytes are counted for evidence that is not there: without a fresh count this would never end.
        redis.call('HDEL', COUNTERS, 'evidence_bytes')
      end
      count('evidence_dropped', dropped)
    end
  end
  local key, life_ms = EVIDENCE .. ':' .. id, record.ttl_seconds * 1000
  redis.call('HSET', key, 'picture', evidence.picture, 'screenshot', evidence.screenshot)
  redis.call('PEXPIRE', key, life_ms)
  -- With the microseconds as a fraction: of two that were kept in one millisecond the older one goes first.
  redis.call('ZADD', EVIDENCE, NOW + life_ms + time[2] % 1000 / 1000, id .. ' ' .. size)
  count('evidence_bytes', size)
  redis.call('HSET', record_key(id), 'evidence', evidence.kept)
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

local function settle(id, token, outcome, payload, jitter, session, evidence)
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
  local is_retryable = outcome == 'retryable'
  if is_retryable and tonumber(record.attempts) <= tonumber(record.retry_limit) then
    return retry_later(id, record, payload, token, jitter)
  end
  keep_evidence(id, record, evidence)
  if outcome == 'completed' then
    redis.call('HDEL', record_key(id), 'error')
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

local answers = {}
for at = 6, #ARGV, FIELDS do
  local evidence = {kept = ARGV[at + 6], picture = ARGV[at + 7], screenshot = ARGV[at + 8]}
  answers[#answers + 1] = settle(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4]),
    ARGV[at + 5], evidence)
end
return answers
