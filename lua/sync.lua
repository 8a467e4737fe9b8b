#!lua
-- sync: tells the gate what the ledger says of one item. Absolute figures only:
-- told twice, late or out of order, the gate ends up the same.
--
-- Terms (ceiling, window, pause, limit) are taken when their version is newer;
-- admitted, and each buyer's admitted and released, are raised, never lowered.
--
-- KEYS
--   1  moved  hash  levels not yet published
--   2  item   hash
-- ARGV (the ledger's, read in one transaction)
--   1   ahead, 0 | 1: 1 tells buyers of an item that is about to be loaded
--   2   admitted, 0..10^12
--   3   version of the terms, 1..10^15-1
--   4   ceiling = total + released, 0..10^12
--   5   opens_at in ms since 1970, 0: always open
--   6   closes_at in ms, 0: never closes; else after opens_at
--   7   paused, 0 | 1
--   8   limit a buyer, 0: none
--   9   counted, 0 | 1: whether the gate counts what each buyer took; 1 when there is a limit
--   10.. for each buyer, 0..500 of them: buyer, admitted, released
-- Replies
--   {'synced', changed 0 | 1, admitted, ceiling, version}
--   {'not_loaded', changed 0 | 1}  without `ahead` nothing is written
-- Errors: GATEARG, GATEDATA; nothing is written.

local UNITS_MAX, VERSION_MAX, TIME_MAX = 1000000000000, 999999999999999, 253402300799999
local BUYERS_MAX, FIXED_ARGS = 500, 9

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG sync: ' .. what))
end

local function corrupt(what)
  error(redis.error_reply('GATEDATA sync: ' .. what))
end

local function whole(text, least, most, what)
  local n = tonumber(text)
  if not n or not (n >= least and n <= most) or n % 1 ~= 0 then bad(what) end
  return n
end

local function word(text, most, what)
  if text == '' or #text > most or string.find(text, ' ', 1, true) then bad(what) end
  return text
end

local function figure(value)
  return tonumber(value or '') or corrupt('not a figure')
end

if #KEYS ~= 2 then bad('number of keys') end
local buyers = (#ARGV - FIXED_ARGS) / 3
if buyers < 0 or buyers > BUYERS_MAX or buyers % 1 ~= 0 then bad('number of arguments') end
local ahead = whole(ARGV[1], 0, 1, 'ahead') == 1
local floor = whole(ARGV[2], 0, UNITS_MAX, 'admitted')
local version = whole(ARGV[3], 1, VERSION_MAX, 'version')
local ceiling = whole(ARGV[4], 0, UNITS_MAX, 'ceiling')
local opens = whole(ARGV[5], 0, TIME_MAX, 'opens_at')
local closes = whole(ARGV[6], 0, TIME_MAX, 'closes_at')
if closes > 0 and closes <= opens then bad('closes_at') end
local paused = whole(ARGV[7], 0, 1, 'paused')
local limit = whole(ARGV[8], 0, UNITS_MAX, 'limit')
local counted = whole(ARGV[9], 0, 1, 'counted')
if limit > 0 and counted == 0 then bad('a limit needs counted') end
local terms = string.format('%.0f %.0f %.0f %.0f %d %.0f %d',
  version, ceiling, opens, closes, paused, limit, counted)

-- The counts to raise: field by field what the ledger says.
local fields, floors, told = {'terms', 'admitted'}, {}, {}
for i = 1, buyers do
  local at = FIXED_ARGS + 3 * (i - 1)
  local buyer = word(ARGV[at + 1], 64, 'buyer')
  -- Each count is read once and written once, so a second telling would undo the first.
  if told[buyer] then bad('buyer given twice') end
  told[buyer] = true
  local admitted = whole(ARGV[at + 2], 0, UNITS_MAX, "buyer's admitted")
  fields[#fields + 1], floors[#floors + 1] = 'a:' .. buyer, admitted
  fields[#fields + 1] = 'r:' .. buyer
  floors[#floors + 1] = whole(ARGV[at + 3], 0, admitted, "buyer's released")
end
local item = call('HMGET', KEYS[2], unpack(fields))
local loaded = item[1] ~= false
if not loaded and not ahead then return {'not_loaded', 0} end

local changes = {}
local function change(field, value)
  changes[#changes + 1] = field
  changes[#changes + 1] = value
end
local admitted, moved = 0, false
if loaded then
  local old_version, old_ceiling = string.match(item[1], '^(%d+) (%d+) ')
  old_version, old_ceiling = figure(old_version), figure(old_ceiling)
  local old_admitted = figure(item[2])
  admitted = math.max(floor, old_admitted)
  if admitted > old_admitted then change('admitted', admitted) end
  if version > old_version then
    change('terms', terms)
  else
    version, ceiling = old_version, old_ceiling
  end
  moved = #changes > 0
end
for i = 1, #floors do
  local old = item[2 + i]
  if floors[i] > (old and figure(old) or 0) then change(fields[2 + i], floors[i]) end
end

local changed = #changes > 0
if changed then call('HSET', KEYS[2], unpack(changes)) end
if moved then
  -- The live feed must not fail a sync that is done; beat.lua meets the fault again.
  redis.pcall('HSET', KEYS[1], KEYS[2],
    string.format('%.0f %.0f %.0f', admitted, ceiling, version))
end
if not loaded then return {'not_loaded', changed and 1 or 0} end
return {'synced', changed and 1 or 0, admitted, ceiling, version}
