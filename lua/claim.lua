#!lua flags=allow-oom
-- claim: gives the edge relay entries that have waited for long: unread ones, and those that
-- somebody claimed and did not settle. Nobody else gets them for as long again.
--
-- KEYS
--   1  edge  stream  the edge queue
-- ARGV
--   1  the edge relay's consumer group; made, from the beginning, where it is not there
--   2  the consumer's name in it
--   3  age in ms, 0..86400000, by the server's clock
--   4  most entries, 1..500
-- Replies
--   {now, entry, admission, payload, entry, ...}, oldest first within unread and claimed ones;
--       now is the server's clock in ms
-- Errors: GATEARG, GATEDATA; nothing is claimed.

local ENTRIES_MAX, AGE_MAX = 500, 86400000
-- Looks into the group's list of claimed entries, at ten times as many entries each.
local LOOKS_MAX = 20

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG claim: ' .. what))
end

local function whole(text, least, most, what)
  local n = tonumber(text)
  if not n or not (n >= least and n <= most) or n % 1 ~= 0 then bad(what) end
  return n
end

if #KEYS ~= 1 then bad('number of keys') end
if #ARGV ~= 4 then bad('number of arguments') end
local group, consumer = ARGV[1], ARGV[2]
local age = whole(ARGV[3], 0, AGE_MAX, 'age')
local most = whole(ARGV[4], 1, ENTRIES_MAX, 'most entries')

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

if call('XLEN', KEYS[1]) == 0 then return {now} end
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], group, '0')
if type(made) == 'table' and made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
  return made
end

local reply, claimed = {now}, 0
local function take(entries)
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    if fields[1] ~= 'admission' or fields[3] ~= 'payload' then
      error(redis.error_reply('GATEDATA claim: entry'))
    end
    local n = #reply
    reply[n + 1], reply[n + 2], reply[n + 3] = entry[1], fields[2], fields[4]
    claimed = claimed + 1
  end
end

-- Claimed before, and left.
local from, looks = '0-0', 0
repeat
  local found = call('XAUTOCLAIM', KEYS[1], group, consumer, age, from, 'COUNT',
    most - claimed)
  take(found[2])
  from, looks = found[1], looks + 1
until from == '0-0' or claimed >= most or looks >= LOOKS_MAX

-- Unread, and old enough. The young ones stay unread: whoever queued them is at it.
local room = most - claimed
if room > 0 then
  local last = '0-0'
  for _, info in ipairs(call('XINFO', 'GROUPS', KEYS[1])) do
    local fields = {}
    for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end
    if fields['name'] == group then last = fields['last-delivered-id'] end
  end
  local newest = now - age
  local old = 0
  for _, entry in ipairs(call('XRANGE', KEYS[1], '(' .. last, '+', 'COUNT', room)) do
    if tonumber(string.match(entry[1], '^(%d+)-')) > newest then break end
    old = old + 1
  end
  if old > 0 then
    local read = call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', old, 'STREAMS', KEYS[1], '>')
    take(read[1][2])
  end
end
return reply
