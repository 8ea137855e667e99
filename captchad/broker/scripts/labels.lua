-- What the scripts share that hand labels on.

-- Labels wait in a stream for the host that keeps them. The oldest make room for newer ones; none is taken while Redis is
-- full. Returns whether it was.
local LABELS = PREFIX .. ':labels'

local function add_label(label, limit_bytes)
  local size = #label.picture + #label.text + #label.host
  if IS_FULL or size > limit_bytes then
    count('labels_dropped', 1)
    return false
  end
  while counted('label_bytes') + size > limit_bytes do
    local oldest = redis.call('XRANGE', LABELS, '-', '+', 'COUNT', 1)[1]
    if not oldest then
      -- Bytes are counted for labels that are not there: without a fresh count this would never end.
      redis.call('HDEL', COUNTERS, 'label_bytes')
    else
      redis.call('XDEL', LABELS, oldest[1])
      count('label_bytes', -tonumber(oldest[2][2]))
      count('labels_dropped', 1)
    end
  end
  -- The size comes first: what is dropped is not searched for it.
  redis.call('XADD', LABELS, '*', 'bytes', size, 'id', label.id, 'host', label.host, 'text', label.text, 'verdict',
    label.verdict, 'origin', label.origin, 'task_id', label.task_id, 'who', label.who, 'at_ms', NOW, 'picture',
    label.picture)
  count('label_bytes', size)
  return true
end

