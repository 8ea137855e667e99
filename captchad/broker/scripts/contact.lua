-- Asks whether writes are taken, and of which server; `admission.lua` is the write.
--
-- KEYS 1 a name that nothing is stored under
-- Returns {run id, which changes with every start, time (ms), 1 where memory is full}

local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local time = redis.call('TIME')
return {run_id, time[1] * 1000 + math.floor(time[2] / 1000), IS_FULL and 1 or 0}
