-- Renews the lease of attempts that are still their caller's, by claiming each entry for itself (idle time reset).
--
-- ARGV 1 consumer, then for each attempt: id, token
-- Returns for each 'renewed', or the record's status where the attempt is no longer the caller's ('missing' without one)

local consumer, answers = ARGV[1], {}
for at = 2, #ARGV, 2 do
  local record = read_state(ARGV[at])
  local answer = record and record.status or 'missing'
  if answer == 'unconfirmed' and record.settled_token == ARGV[at + 1] then
    -- Its own outcome is written and waits to be confirmed: there is nothing left to lose.
    answer = 'renewed'
  elseif record and record.status == 'processing' then
    answer = 'lost'
    if record.owner == consumer and record.token == ARGV[at + 1] then
      -- Claimed for itself, with JUSTID: that resets the idle time and leaves the delivery counter alone.
      local claimed = call_group('XCLAIM', KEYS[tonumber(record.stream)], GROUP, consumer, 0, record.entry, 'JUSTID')
      if claimed and #claimed == 1 then
        answer = 'renewed'
      end
    end
  end
  answers[#answers + 1] = answer
end
return answers
