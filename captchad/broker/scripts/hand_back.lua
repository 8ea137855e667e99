-- Hands back what a consumer owns without knowing it (the reply that delivered it was lost).
--
-- ARGV 1 consumer, then the ids it knows
-- Returns how many were handed back

local known, released = {}, 0
for at = 2, #ARGV do
  known[ARGV[at]] = true
end
for stream = 1, 4 do
  for _, entry in ipairs(call_group('XPENDING', KEYS[stream], GROUP, '-', '+', 1000, ARGV[1]) or {}) do
    local found = redis.call('XRANGE', KEYS[stream], entry[1], entry[1])
    local id = found[1] and found[1][2][2]
    local record = id and not known[id] and read_state(id)
    if record and record.status == 'processing' and record.owner == ARGV[1] and record.entry == entry[1] then
      hand_back(id, record)
      released = released + 1
    end
  end
end
return released
