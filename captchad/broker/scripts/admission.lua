-- How every script begins that writes and may go on where memory is full.
--
-- Redis refuses a script at its first write: always where it takes no writes, and where memory is full if that write needs
-- some. So this first write needs none, and changes nothing. A refusal comes before anything is done, and a full memory
-- stops no script that frees some or keeps the fleet going.

local NOTHING = KEYS[1] .. ':nothing'
local probe = redis.pcall('LPUSHX', NOTHING, '')
local IS_FULL = type(probe) == 'table' and string.find(probe.err, 'OOM', 1, true) ~= nil
redis.call('DEL', NOTHING)

