#!lua
-- take: takes one from a bucket that fills evenly with time, or says how long until there is one.
--
-- The Generic Cell Rate Algorithm in its virtual scheduling form (ITU-T I.371): all that is
-- stored of a bucket is the instant at which it will be full. What is refused writes nothing.
--
-- KEYS
--   1  bucket  string, expires  when it will be full, in us since 1970; full when it is not there
-- ARGV
--   1  interval in us between two that are filled in, 1..31 days
--   2  times, how many a full one has, 1..100000
-- Replies
--   {1, 0} taken; {0, wait} not: there is one after wait ms, at least 1
-- Errors: GATEARG, GATEDATA

local INTERVAL_MAX = 31 * 24 * 3600 * 1000000
local TIMES_MAX = 100000

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG take: ' .. what))
end

local function whole(text, least, most, what)
  local number = tonumber(text)
  if not number or number % 1 ~= 0 or number < least or number > most then bad(what) end
  return number
end

if #KEYS ~= 1 then bad('number of keys') end
if #ARGV ~= 2 then bad('number of arguments') end
local interval = whole(ARGV[1], 1, INTERVAL_MAX, 'interval')
local size = interval * whole(ARGV[2], 1, TIMES_MAX, 'times')

local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full = now
local stored = call('GET', KEYS[1])
if stored then
  full = tonumber(stored)
  if not full then error(redis.error_reply('GATEDATA take: not an instant')) end
  -- No bucket is emptier than empty, whatever rate or clock it was taken from before.
  full = math.max(now, math.min(full, now + size))
end

local wait = full + interval - now - size
if wait > 0 then return {0, math.ceil(wait / 1000)} end
full = full + interval
call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {1, 0}
