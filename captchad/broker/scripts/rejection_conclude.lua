-- Tells what became of the answer that room was reserved for.
--
-- ARGV 4 reservation   5 'freed', 'accepted' or 'rejected'   6 name that a rejection counts under   7 task id
-- Returns 'open', 'closing' (this rejection has just closed `fill`) or 'closed'

redis.call('ZREM', REJECTIONS, ARGV[4])
if ARGV[5] == 'rejected' then
  note(ARGV[6], NOW)
elseif ARGV[5] == 'accepted' then
  -- Nor were the task's earlier answers rejected, of which nobody saw what became of them.
  redis.call('ZREM', REJECTIONS, ARGV[6])
  local of_task = ARGV[7] .. ':'
  for _, name in ipairs(redis.call('ZRANGE', REJECTIONS, 0, -1)) do
    if string.sub(name, 1, #of_task) == of_task then
      redis.call('ZREM', REJECTIONS, name)
    end
  end
end
return close_if_used_up()
