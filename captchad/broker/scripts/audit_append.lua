-- Appends to the audit log, each entry bound to the one before it by a hash, and trims it.
--
-- KEYS 1 entries (stream)   2 chain (hash)
-- ARGV 1 most entries   2 how long one is kept (ms)   3 a random text: the name of a chain that begins now
--      then for each entry: the act (JSON), its SHA-256 (hex)
-- Returns the number of the last entry
--
-- The hash of an entry covers that of the one before, its number, its time and the SHA-256 of its act.

local ENTRIES, CHAIN = KEYS[1], KEYS[2]
local limit, retention_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local TRIMMED_AT_ONCE = 200
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function write(number)
  return string.format('%.0f', number)
end

local sequence, link = unpack(redis.call('HMGET', CHAIN, 'sequence', 'link'))
if not sequence and #ARGV == 3 then
  return 0
end
if not sequence then
  sequence, link = 0, redis.sha1hex(ARGV[3])
  redis.call('HSET', CHAIN, 'name', ARGV[3], 'anchor_sequence', 0, 'anchor_link', link)
end
sequence = tonumber(sequence)
for at = 4, #ARGV, 2 do
  sequence = sequence + 1
  link = redis.sha1hex(link .. ' ' .. write(sequence) .. ' ' .. write(now) .. ' ' .. ARGV[at + 1])
  redis.call('XADD', ENTRIES, '*', 'n', write(sequence), 'at_ms', write(now), 'act', ARGV[at], 'link', link)
end
redis.call('HSET', CHAIN, 'sequence', write(sequence), 'link', link)

-- More than came in may go, so that the log keeps its bounds however they are changed; an entry is read only if it may go.
local most = TRIMMED_AT_ONCE + (#ARGV - 3) / 2
local excess = math.min(most, redis.call('XLEN', ENTRIES) - limit)
local trimmed, anchor, anchor_link = {}, tonumber(redis.call('HGET', CHAIN, 'anchor_sequence')), nil

local function read_fields(entry)
  local fields = {}
  for index = 1, #entry[2], 2 do
    fields[entry[2][index]] = entry[2][index + 1]
  end
  return fields
end

local function is_old(entry)
  return (tonumber(read_fields(entry).at_ms) or 0) + retention_ms <= now
end

local oldest = redis.call('XRANGE', ENTRIES, '-', '+', 'COUNT', 1)[1]
local count = oldest and is_old(oldest) and most or excess
for index, entry in ipairs(count > 0 and redis.call('XRANGE', ENTRIES, '-', '+', 'COUNT', count) or {}) do
  if index > excess and not is_old(entry) then
    break
  end
  local fields = read_fields(entry)
  local number = tonumber(fields.n) or 0
  trimmed[#trimmed + 1] = entry[1]
  if number ~= anchor + 1 then
    redis.call('HSETNX', CHAIN, 'broken_at', write(number))
  end
  anchor, anchor_link = number, fields.link or ''
end
if anchor_link then
  redis.call('XDEL', ENTRIES, unpack(trimmed))
  redis.call('HSET', CHAIN, 'anchor_sequence', write(anchor), 'anchor_link', anchor_link)
end
return sequence
