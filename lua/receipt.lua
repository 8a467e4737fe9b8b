#!lua flags=no-writes
-- receipt: looks up what the gate remembers of an accepted order.
--
-- KEYS
--   1  receipt  string  of the order
--   2  edge     stream  the edge queue
--   3  shard    hash    the shard's beat and trust
-- ARGV: none
-- Replies
--   {'receipt', fingerprint, admission, entry, queued, payload}
--       queued is 1 while the entry is in the edge queue; entry and payload are empty
--       when the receipt was told by the ledger
--   {'none'}
--   {'unsure'}: none, but the shard heals or may have lost its last writes
-- Errors: GATEARG, GATEDATA

local call = redis.call

if #KEYS ~= 3 or #ARGV ~= 0 then
  error(redis.error_reply('GATEARG receipt: number of keys or arguments'))
end

local receipt = call('GET', KEYS[1])
if not receipt then
  local shard = call('HMGET', KEYS[3], 'beat_at', 'trusted_until', 'healing_since')
  local clock = call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local from, til = tonumber(shard[1] or 0), tonumber(shard[2] or 0)
  if not from or not til then error(redis.error_reply('GATEDATA receipt: trust')) end
  if shard[3] or now < from or now > til then return {'unsure'} end
  return {'none'}
end
local fingerprint, admission, entry, payload =
  string.match(receipt, '^([^ ]+) ([^ ]+) ([^ ]*) (.*)$')
if not fingerprint then error(redis.error_reply('GATEDATA receipt: receipt')) end
-- After a failover another order can have got the id of an entry that was lost.
local found = entry ~= '' and call('XRANGE', KEYS[2], entry, entry)[1]
local queued = found and found[2][2] == admission
return {'receipt', fingerprint, admission, entry, queued and 1 or 0, payload}
