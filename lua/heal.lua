#!lua flags=allow-oom
-- heal: ends the healing of a shard, of items, or of both, once the gate keeper has told
-- them all that the ledger knows.
--
-- It wants proof that nothing told has been lost since. The caller's beat, given after the
-- telling, must still be there, which a loss that no beat has met yet would have taken away;
-- and the epoch must be the one of the telling, which a beat that met a loss has raised.
-- An item that was loaded anew meanwhile has another mark and goes on healing.
--
-- KEYS
--   1   shard    hash
--   2   healing  hash  items that heal
--   3.. item     hash  0..500 items
-- ARGV
--   1   beat that the caller got after it had told everything
--   2   epoch in which the caller told everything
--   3   shard, 0 | 1: whether the shard's own healing ends too
--   4.. for each item: the mark of the healing that ends
-- Replies
--   {'healed', shard 0 | 1, items}  how many of what was named were ended
--   {'lost', beat, epoch}           there was a loss since: nothing is ended
-- Errors: GATEARG, GATEDATA; nothing is written.

local ITEMS_MAX, BEAT_MAX, EPOCH_MAX = 500, 999999999999999, 1073741823
local FIXED_KEYS, TIME_MAX = 2, 253402300799999

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG heal: ' .. what))
end

local function whole(text, least, most, what)
  local n = tonumber(text)
  if not n or not (n >= least and n <= most) or n % 1 ~= 0 then bad(what) end
  return n
end

local function figure(value)
  if not value then return 0 end
  return tonumber(value) or error(redis.error_reply('GATEDATA heal: not a figure'))
end

local items = #KEYS - FIXED_KEYS
if items < 0 or items > ITEMS_MAX then bad('number of keys') end
if #ARGV ~= 3 + items then bad('number of arguments') end
local told = whole(ARGV[1], 1, BEAT_MAX, 'beat')
local told_in = whole(ARGV[2], 1, EPOCH_MAX, 'epoch')
local with_shard = whole(ARGV[3], 0, 1, 'shard') == 1

local shard = call('HMGET', KEYS[1], 'beat', 'epoch', 'healing_since')
local beat, epoch = figure(shard[1]), figure(shard[2])
if beat < told or epoch ~= told_in then return {'lost', beat, epoch} end
local ends_shard = with_shard and shard[3]
local healed, done = {}, {}
for i = 1, items do
  local key, mark = KEYS[FIXED_KEYS + i], whole(ARGV[3 + i], 1, TIME_MAX, 'mark')
  if figure(call('HGET', key, 'healing')) == mark then healed[#healed + 1] = key end
  -- Of an item that was forgotten since, this is all there is.
  if figure(call('HGET', KEYS[2], key)) == mark then done[#done + 1] = key end
end

if ends_shard then call('HDEL', KEYS[1], 'healing_since') end
for i = 1, #healed do call('HDEL', healed[i], 'healing') end
if #done > 0 then call('HDEL', KEYS[2], unpack(done)) end
return {'healed', ends_shard and 1 or 0, #healed}
