-- Lists tasks, newest first, after a position: the ids of those that are wanted among a bounded number of records.
--
-- ARGV 1 created (ms) and 2 id of the task that the list goes on after, or '' and ''   3 most to look at
--      4 most to return   5 status   6 target   7 API key's id that tasks must have, each or ''
-- Returns {1 at the end of the list or 0, created (ms) and id of the last one looked at or '', id, created (ms), …}

local after_ms, after_id, most_looks, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local wanted = {ARGV[5], ARGV[6], ARGV[7]}

-- How many are newer than the position or at it: whether its task is still there makes no difference.
local function count_seen()
  if after_id == '' then
    return 0
  end
  local seen = redis.call('ZCOUNT', RECENT, '(' .. after_ms, '+inf')
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', RECENT, after_ms, after_ms)) do
    if id >= after_id then
      seen = seen + 1
    end
  end
  return seen
end

local function is_wanted(id)
  local found = redis.call('HMGET', record_key(id), 'status', 'target', 'key_id')
  if found[1] == 'unconfirmed' then
    found[1] = 'processing'
  end
  for index, value in ipairs(wanted) do
    if value ~= '' and found[index] ~= value then
      return false
    end
  end
  return found[1] ~= false
end

local seen = count_seen()
local entries = redis.call('ZREVRANGE', RECENT, seen, seen + most_looks - 1, 'WITHSCORES')
local answer, returned = {#entries < 2 * most_looks and 1 or 0, '', ''}, 0
for index = 1, #entries, 2 do
  local id, created_ms = entries[index], entries[index + 1]
  answer[2], answer[3] = created_ms, id
  if is_wanted(id) then
    answer[#answer + 1] = id
    answer[#answer + 1] = created_ms
    returned = returned + 1
    if returned == most then
      -- More may follow, unless this was the very last.
      answer[1] = (index + 2 > #entries and answer[1] == 1) and 1 or 0
      break
    end
  end
end
return answer
