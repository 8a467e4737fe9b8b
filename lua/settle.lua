#!lua flags=allow-oom
-- settle: deletes entries from the edge queue once the log has them.
--
-- An entry goes only when it carries the admission that the caller published: after a
-- failover another order can have got the id of an entry that was lost.
-- It frees memory, so it also runs when memory is short.
--
-- KEYS
--   1  edge  stream  the edge queue
-- ARGV
--   1    the edge relay's consumer group
--   2..  for each entry: its id, its admission; 1..500 entries
-- Replies
--   number of entries deleted; one that is gone already is not counted
-- Errors: GATEARG; nothing is deleted.

local ENTRIES_MAX = 500

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG settle: ' .. what))
end

if #KEYS ~= 1 then bad('number of keys') end
local entries = (#ARGV - 1) / 2
if entries < 1 or entries > ENTRIES_MAX or entries % 1 ~= 0 then bad('number of arguments') end

local gone = {}
for i = 1, entries do
  local id, admission = ARGV[2 * i], ARGV[2 * i + 1]
  if #id > 41 or not string.find(id, '^%d+%-%d+$') then bad('entry') end
  local found = call('XRANGE', KEYS[1], id, id)[1]
  if found and found[2][2] == admission then gone[#gone + 1] = id end
end
if #gone == 0 then return 0 end

-- Deleting does not take an entry out of the group's pending list; a group that is
-- not there (before the relay's first run, after a flush) has none.
call('XACK', KEYS[1], ARGV[1], unpack(gone))
return call('XDEL', KEYS[1], unpack(gone))
