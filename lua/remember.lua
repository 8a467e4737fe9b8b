#!lua
-- remember: tells receipts that the gate may have forgotten. One that is there stays as it is.
--
-- KEYS
--   1..  receipt  string  of orders that the ledger has, 1..500
-- ARGV
--   1   receipts' life in ms
--   2.. for each: fingerprint, admission
-- Replies
--   number of receipts that were written
-- Errors: GATEARG; nothing is written.

local RECEIPTS_MAX = 500
local RECEIPT_MS_MIN, RECEIPT_MS_MAX = 1000, 31 * 86400000

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG remember: ' .. what))
end

local function word(text, most, what)
  if text == '' or #text > most or string.find(text, ' ', 1, true) then bad(what) end
  return text
end

if #KEYS < 1 or #KEYS > RECEIPTS_MAX then bad('number of keys') end
if #ARGV ~= 1 + 2 * #KEYS then bad('number of arguments') end
local life = tonumber(ARGV[1])
if not life or not (life >= RECEIPT_MS_MIN and life <= RECEIPT_MS_MAX) or life % 1 ~= 0 then
  bad('receipt life')
end
local values = {}
for i = 1, #KEYS do
  -- No entry and no payload: the ledger has the order, so the log had it.
  values[i] = word(ARGV[2 * i], 128, 'fingerprint') .. ' ' ..
    word(ARGV[2 * i + 1], 64, 'admission') .. '  '
end

local written = 0
for i = 1, #KEYS do
  if call('SET', KEYS[i], values[i], 'NX', 'PX', ARGV[1]) then written = written + 1 end
end
return written
