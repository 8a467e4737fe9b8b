#!lua flags=no-writes
-- receipt: looks up what the gate remembers of an accepted order.
--
-- KEYS
--   1  receipt  string  of the order
--   2  edge     stream  the edge queue
-- ARGV: none
-- Replies
--   {'receipt', fingerprint, admission, entry, queued, payload}
--       queued is 1 while the entry is in the edge queue; entry and payload are empty
--       when the receipt was told by the ledger
--   {'none'}
-- Errors: GATEARG, GATEDATA

local call = redis.call

if #KEYS ~= 2 or #ARGV ~= 0 then
  error(redis.error_reply('GATEARG receipt: number of keys or arguments'))
end

local receipt = call('GET', KEYS[1])
if not receipt then return {'none'} end
local fingerprint, admission, entry, payload =
  string.match(receipt, '^([^ ]+) ([^ ]+) ([^ ]*) (.*)$')
if not fingerprint then error(redis.error_reply('GATEDATA receipt: receipt')) end
-- After a failover another order can have got the id of an entry that was lost.
local found = entry ~= '' and call('XRANGE', KEYS[2], entry, entry)[1]
local queued = found and found[2][2] == admission
return {'receipt', fingerprint, admission, entry, queued and 1 or 0, payload}
