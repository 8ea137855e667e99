-- Cancels a task that has not ended, queued or running; its worker is told by the event and by its next renewal.
--
-- ARGV 1 id
-- Returns its status now: 'missing' without a record, 'unconfirmed ENDING' where `confirm` must follow, whatever the end

local record = read_state(ARGV[1])
if not record then
  return 'missing'
end
if record.status == 'unconfirmed' then
  return 'unconfirmed ' .. record.ending
end
if record.status == 'pending' or record.status == 'processing' then
  return finish(ARGV[1], record, 'cancelled', {'error', encode_error('cancelled', 'the task was cancelled')})
end
return record.status
