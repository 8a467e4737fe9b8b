#!lua flags=allow-oom
-- lock_release: gives back the lock on loading an item, and wakes who waits for it.
--
-- Only its holder can: a lock that ran out and is another's now stays.
-- (Taking it needs no script: SET key token NX PX ms.)
--
-- KEYS
--   1  lock  string  the holder's token
-- ARGV
--   1  token, random, 1..64 bytes
--   2  channel of the shard's wake-ups; the message is the lock's key
-- Replies
--   1 given back, 0 it was not the caller's
-- Errors: GATEARG

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG lock_release: ' .. what))
end

if #KEYS ~= 1 then bad('number of keys') end
if #ARGV ~= 2 then bad('number of arguments') end
local token, channel = ARGV[1], ARGV[2]
if #token < 1 or #token > 64 then bad('token') end
if #channel < 1 or #channel > 128 then bad('channel') end

if call('GET', KEYS[1]) ~= token then return 0 end
call('DEL', KEYS[1])
call('PUBLISH', channel, KEYS[1])
return 1
