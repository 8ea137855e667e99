-- Queues the first tasks that wait for a target's limits.
--
-- ARGV 1 target   2 most tasks
-- Returns {queued, how many still wait}

return {release_held(ARGV[1], tonumber(ARGV[2]))}
