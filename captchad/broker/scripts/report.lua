-- Hands on what a caller has found out of a task's answer, as a label with the picture that was kept for it.
--
-- ARGV 1 id   2 text   3 verdict   4 who reports   5 limit (bytes) of labels on their way
-- Returns 'kept', 'dropped' where there is no room for it, or 'gone' without a picture

local id = ARGV[1]
local answer = redis.call('HMGET', ANSWERS.key .. ':' .. id, 'host', 'label_id', 'picture')
if not answer[3] then
  return 'gone'
end
local is_kept = add_label({id = answer[2], host = answer[1], text = ARGV[2], verdict = ARGV[3], origin = 'reported',
  task_id = id, who = ARGV[4], picture = answer[3]}, tonumber(ARGV[5]))
return is_kept and 'kept' or 'dropped'
