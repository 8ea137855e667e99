-- Deletes labels that the learner has on its disk.
--
-- ARGV for each: its stream entry
-- Returns how many there were

local forgotten = 0
for _, entry in ipairs(ARGV) do
  local found = redis.call('XRANGE', LABELS, entry, entry)[1]
  if found then
    redis.call('XDEL', LABELS, entry)
    count('label_bytes', -tonumber(found[2][2]))
    forgotten = forgotten + 1
  end
end
return forgotten
