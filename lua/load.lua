#!lua
-- load: makes an item known to the gate, from the ledger. Writes only what is not
-- there; on an item that is loaded it raises and renews, like sync.
--
-- Buyers and receipts are told before it, by sync with `ahead`, so that the item is
-- whole when it begins to sell. It is marked as healing until heal.lua ends that.
--
-- KEYS
--   1  moved    hash  levels not yet published
--   2  item     hash
--   3  healing  hash  items that heal
-- ARGV (the ledger's, read in one transaction)
--   1  admitted, 0..10^12
--   2  version of the terms, 1..10^15-1
--   3  ceiling = total + released, 0..10^12
--   4  opens_at in ms since 1970, 0: always open
--   5  closes_at in ms, 0: never closes; else after opens_at
--   6  paused, 0 | 1
--   7  limit a buyer, 0: none
--   8  counted, 0 | 1: whether the gate counts what each buyer took; 1 when there is a limit
-- Replies
--   {'loaded', 1, admitted, ceiling, version}
--   {'synced', changed 0 | 1, admitted, ceiling, version}  it was loaded already
-- Errors: GATEARG, GATEDATA; nothing is written.

local UNITS_MAX, VERSION_MAX, TIME_MAX = 1000000000000, 999999999999999, 253402300799999

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG load: ' .. what))
end

local function corrupt(what)
  error(redis.error_reply('GATEDATA load: ' .. what))
end

local function whole(text, least, most, what)
  local n = tonumber(text)
  if not n or not (n >= least and n <= most) or n % 1 ~= 0 then bad(what) end
  return n
end

local function figure(value)
  return tonumber(value or '') or corrupt('not a figure')
end

if #KEYS ~= 3 then bad('number of keys') end
if #ARGV ~= 8 then bad('number of arguments') end
local floor = whole(ARGV[1], 0, UNITS_MAX, 'admitted')
local version = whole(ARGV[2], 1, VERSION_MAX, 'version')
local ceiling = whole(ARGV[3], 0, UNITS_MAX, 'ceiling')
local opens = whole(ARGV[4], 0, TIME_MAX, 'opens_at')
local closes = whole(ARGV[5], 0, TIME_MAX, 'closes_at')
if closes > 0 and closes <= opens then bad('closes_at') end
local paused = whole(ARGV[6], 0, 1, 'paused')
local limit = whole(ARGV[7], 0, UNITS_MAX, 'limit')
local counted = whole(ARGV[8], 0, 1, 'counted')
if limit > 0 and counted == 0 then bad('a limit needs counted') end
local terms = string.format('%.0f %.0f %.0f %.0f %d %.0f %d',
  version, ceiling, opens, closes, paused, limit, counted)

local item = call('HMGET', KEYS[2], 'terms', 'admitted')
local loaded = item[1] ~= false
local old_version, old_ceiling, old_admitted = 0, 0, -1
if loaded then
  old_version, old_ceiling = string.match(item[1], '^(%d+) (%d+) ')
  old_version, old_ceiling = figure(old_version), figure(old_ceiling)
  old_admitted = figure(item[2])
end
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local changes = {}
local function change(field, value)
  changes[#changes + 1] = field
  changes[#changes + 1] = value
end
local admitted = math.max(floor, old_admitted)
if admitted > old_admitted then change('admitted', admitted) end
if version > old_version then
  change('terms', terms)
else
  version, ceiling = old_version, old_ceiling
end
-- Orders that were on their way when the ledger was read have no receipt here yet.
if not loaded then change('healing', now) end

-- The keeper must hear of every item that heals: the first write is the one that could fail.
if not loaded then call('HSET', KEYS[3], KEYS[2], now) end
if #changes > 0 then
  call('HSET', KEYS[2], unpack(changes))
  -- The live feed must not fail a load that is done; beat.lua meets the fault again.
  redis.pcall('HSET', KEYS[1], KEYS[2],
    string.format('%.0f %.0f %.0f', admitted, ceiling, version))
end
return {loaded and 'synced' or 'loaded', #changes > 0 and 1 or 0, admitted, ceiling, version}
