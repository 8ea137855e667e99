-- Reserves room for the rejection of an answer before anything is typed: there never are more answers on their way than
-- rejections left in the hour.
--
-- ARGV 4 reservation   5 until when it is certainly told what became of the answer (ms from now)
-- Returns 'reserved'; 'full' while all room is reserved by others; 'closing' or 'closed' where `fill` is closed

local state = close_if_used_up()
if state ~= 'open' then
  return state
end
-- A caller that lost the reply asks again.
if redis.call('ZCARD', REJECTIONS) >= most_an_hour and not redis.call('ZSCORE', REJECTIONS, ARGV[4]) then
  return 'full'
end
note(ARGV[4], NOW + ARGV[5])
return 'reserved'
