-- Queues the first tasks that were deferred by a target's limits.
--
-- ARGV 1 deferred queue   2 most tasks
-- Returns {released, how many still wait}

return {release_deferred(ARGV[1], tonumber(ARGV[2]))}
