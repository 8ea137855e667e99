-- Makes ends final that replicas have by now, each only if it still is the end that its caller has seen them acknowledge.
--
-- ARGV for each: id, ending
-- Returns for each the status of its record now ('missing' without one)

local answers = {}
for at = 1, #ARGV, 2 do
  local id = ARGV[at]
  local record = read_state(id)
  local status = record and record.status or 'missing'
  if status == 'unconfirmed' and record.ending == ARGV[at + 1] then
    status = string.match(record.ending, '^%a+')
    count('processing', -1)
    count('processing:' .. record.target, -1)
    publish_end(id, record, status)
  end
  answers[#answers + 1] = status
end
return answers
