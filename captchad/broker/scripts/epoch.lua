-- Reads the mark of the data that are stored, and sets one where there is none.
--
-- KEYS 1 epoch   ARGV 1 a random text, the mark of a new epoch
-- Returns the mark

redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
