-- Tries every command that captchad uses, each so that nothing is left of it, and tells which Redis does not allow.
--
-- KEYS 1 a name that nothing is stored under   2 the same for a channel
-- Returns the names of the commands that are refused for want of a right

local KEY, CHANNEL = KEYS[1], KEYS[2]
local COMMANDS = {
  {'DEL', KEY}, {'EXISTS', KEY}, {'EXPIRE', KEY, 1}, {'PEXPIRE', KEY, 1}, {'PTTL', KEY},
  {'GET', KEY}, {'SET', KEY, '', 'XX'}, {'LPUSHX', KEY, ''}, {'SMEMBERS', KEY}, {'SADD', KEY, ''}, {'DEL', KEY},
  {'HSET', KEY, '', ''}, {'HSETNX', KEY, '', ''}, {'HINCRBY', KEY, 'n', 1}, {'HDEL', KEY, ''}, {'HEXISTS', KEY, ''},
  {'HGET', KEY, ''}, {'HGETALL', KEY}, {'HMGET', KEY, ''}, {'DEL', KEY},
  {'ZADD', KEY, 'XX', 0, ''}, {'ZREM', KEY, ''}, {'ZCARD', KEY}, {'ZCOUNT', KEY, 0, 0}, {'ZSCORE', KEY, ''}, {'ZRANGE', KEY, 0, 0},
  {'ZRANK', KEY, ''}, {'ZREVRANGE', KEY, 0, 0}, {'ZRANGEBYSCORE', KEY, 0, 0}, {'ZREMRANGEBYSCORE', KEY, 0, 0},
  {'XADD', KEY, 'NOMKSTREAM', '*', 'n', ''}, {'XACK', KEY, 'n', '0-1'}, {'XDEL', KEY, '0-1'}, {'XLEN', KEY},
  {'XRANGE', KEY, '-', '+'}, {'XREAD', 'STREAMS', KEY, '0'}, {'XPENDING', KEY, 'n'},
  {'XREADGROUP', 'GROUP', 'n', 'n', 'STREAMS', KEY, '>'}, {'XCLAIM', KEY, 'n', 'n', 0, '0-1'},
  {'XGROUP', 'CREATE', KEY, 'n', '0'}, {'XGROUP', 'DELCONSUMER', KEY, 'n', 'n'},
  {'XINFO', 'STREAM', KEY}, {'XINFO', 'GROUPS', KEY}, {'XINFO', 'CONSUMERS', KEY, 'n'},
  {'PUBLISH', CHANNEL, ''}, {'PING'}, {'TIME'}, {'INFO', 'server'},
}
-- The last one is how 6.2 says it.
local SIGNS = {'NOPERM', 'ACL failure', "The user executing the script can't"}

local refused = {}
for _, command in ipairs(COMMANDS) do
  local reply = redis.pcall(unpack(command))
  for _, sign in ipairs(SIGNS) do
    if type(reply) == 'table' and reply.err and string.find(reply.err, sign, 1, true) then
      refused[#refused + 1] = command[1]
      break
    end
  end
end
return refused
