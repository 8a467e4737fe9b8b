#!lua
-- reserve: takes stock for one order, for every line of it or for none, and puts
-- the order on the edge queue in the same step.
--
-- KEYS
--   1   shard    hash     the shard's beat, trust and epoch
--   2   edge     stream   the edge queue
--   3   moved    hash     levels not yet published
--   4   receipt  string   of this order
--   5.. item     hash     one for each line, each item once
-- ARGV
--   1   fingerprint of the order's input, 1..128 bytes without a space
--   2   admission, random and fresh for this run, 1..64 bytes without a space
--   3   receipt's life in ms, at least the idempotency window
--   4   most entries the edge queue may hold
--   5   buyer, 1..64 bytes without a space
--   6   payload for the log, opaque, 1..262144 bytes
--   7.. quantity of each line, in the order of the item keys, 1..10^9
-- Replies
--   {'accepted', entry, epoch, now, remaining, level, remaining, level, ...}
--       one pair a line; (epoch, level) is the version of the item's new level
--   {'receipt', fingerprint, admission, entry, queued, payload}
--       the order was accepted before, nothing is taken; queued is 1 while its
--       entry is in the edge queue, so that the log may not have it
--   {'full', entries}
--   {'refused' | 'not_loaded' | 'healing', now, index, reason, x, y, index, ...}
--       every line that stands in the way, in order, four values each; index from 1:
--       'not_loaded' 0 0        the gate does not know the item
--       'not_open' opens_at 0   'closed' closes_at 0   'paused' 0 0
--       'limit' held limit      the buyer holds so many of so many
--       'sold_out' remaining 0
--       'healing' 0 0           it would be refused, but the gate may have forgotten
--                               a receipt: try again
--       The first word says what to do: 'refused' when a line is refused for good, else
--       'not_loaded' when there is such a line, else 'healing'.
-- Errors: GATEARG (the call is wrong), GATEDATA (what is stored is); nothing is written.

local FIXED_KEYS, FIXED_ARGS = 4, 6
local LINES_MAX, QUANTITY_MAX = 1000, 1000000000
local QUEUE_MAX, PAYLOAD_MAX = 10000000, 262144
local RECEIPT_MS_MIN, RECEIPT_MS_MAX = 1000, 31 * 86400000

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG reserve: ' .. what))
end

local function corrupt(what)
  error(redis.error_reply('GATEDATA reserve: ' .. what))
end

local function whole(text, least, most, what)
  local n = tonumber(text)
  if not n or not (n >= least and n <= most) or n % 1 ~= 0 then bad(what) end
  return n
end

-- Not a pattern of letters: scanning that for each order costs as much as a command.
local function word(text, most, what)
  if text == '' or #text > most or string.find(text, ' ', 1, true) then bad(what) end
  return text
end

-- A figure as stored; an absent one counts as nought.
local function figure(value)
  if not value then return 0 end
  return tonumber(value) or corrupt('not a figure')
end

local lines = #KEYS - FIXED_KEYS
if lines < 1 or lines > LINES_MAX then bad('number of lines') end
if #ARGV ~= FIXED_ARGS + lines then bad('number of arguments') end
local fingerprint = word(ARGV[1], 128, 'fingerprint')
local admission = word(ARGV[2], 64, 'admission')
local receipt_ms = whole(ARGV[3], RECEIPT_MS_MIN, RECEIPT_MS_MAX, 'receipt life')
local queue_max = whole(ARGV[4], 1, QUEUE_MAX, 'queue length')
local buyer = word(ARGV[5], 64, 'buyer')
local payload = ARGV[6]
if #payload < 1 or #payload > PAYLOAD_MAX then bad('payload') end
local quantities, seen = {}, {}
for i = 1, lines do
  local key = KEYS[FIXED_KEYS + i]
  -- Counters are read once and written once, so an item met twice would be taken once.
  if seen[key] then bad('item given twice') end
  seen[key] = true
  quantities[i] = whole(ARGV[FIXED_ARGS + i], 1, QUANTITY_MAX, 'quantity')
end

-- The receipt, before every other check.
local receipt = call('GET', KEYS[4])
if receipt then
  local first_print, taken, entry, body = string.match(receipt, '^([^ ]+) ([^ ]+) ([^ ]*) (.*)$')
  if not first_print then corrupt('receipt') end
  -- After a failover another order can have got the id of an entry that was lost.
  local found = entry ~= '' and call('XRANGE', KEYS[2], entry, entry)[1]
  local queued = found and found[2][2] == taken
  return {'receipt', first_print, taken, entry, queued and 1 or 0, body}
end

local entries = call('XLEN', KEYS[2])
if entries >= queue_max then return {'full', entries} end

local shard = call('HMGET', KEYS[1], 'epoch', 'beat_at', 'trusted_until', 'healing_since')
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- A gate whose beat is late may just have been promoted with a part of its past missing.
local trusted = not shard[4] and figure(shard[2]) <= now and now <= figure(shard[3])

local admitted_field, released_field = 'a:' .. buyer, 'r:' .. buyer
local refusals = {}
local final, unknown = false, false

local function refuse(i, reason, x, y)
  if reason == 'not_loaded' then
    unknown = true
  elseif reason ~= 'healing' then
    final = true
  end
  local n = #refusals
  refusals[n + 1], refusals[n + 2], refusals[n + 3], refusals[n + 4] = i, reason, x, y
end

-- What to write for each line; bought is false where buyers are not counted.
local admitted_now, bought_now, ceilings, versions = {}, {}, {}, {}
for i = 1, lines do
  local quantity = quantities[i]
  local item = call('HMGET', KEYS[FIXED_KEYS + i], 'terms', 'admitted', admitted_field,
    released_field, 'healing')
  if not item[1] then
    refuse(i, 'not_loaded', 0, 0)
  else
    local version, ceiling, opens, closes, paused, limit, counted =
      string.match(item[1], '^(%d+) (%d+) (%d+) (%d+) (%d) (%d+) (%d)$')
    if not version then corrupt('terms') end
    opens, closes, limit = tonumber(opens), tonumber(closes), tonumber(limit)
    local admitted, bought = figure(item[2]), figure(item[3])
    local held, remaining = bought - figure(item[4]), ceiling - admitted

    local reason, x, y
    if now < opens then
      reason, x = 'not_open', opens
    elseif closes > 0 and now >= closes then
      reason, x = 'closed', closes
    elseif paused == '1' then
      reason = 'paused'
    elseif limit > 0 and held + quantity > limit then
      reason, x, y = 'limit', held, limit
    elseif quantity > remaining then
      reason, x = 'sold_out', math.max(0, remaining)
    end
    -- A start does not move once it has passed, so nobody can have bought before it.
    if reason and reason ~= 'not_open' and (item[5] or not trusted) then
      reason, x, y = 'healing', 0, 0
    end
    if reason then refuse(i, reason, x or 0, y or 0) end
    admitted_now[i], ceilings[i], versions[i] = admitted + quantity, ceiling, version
    bought_now[i] = counted == '1' and bought + quantity
  end
end
if #refusals > 0 then
  return {final and 'refused' or unknown and 'not_loaded' or 'healing', now, unpack(refusals)}
end

-- From here on only writes. The types of their keys are known from the reads above;
-- the queue comes first because it alone could still say no (an exhausted stream).
local entry = call('XADD', KEYS[2], '*', 'admission', admission, 'payload', payload)
local reply, levels = {'accepted', entry, figure(shard[1]), now}, {}
for i = 1, lines do
  local key, admitted = KEYS[FIXED_KEYS + i], string.format('%d', admitted_now[i])
  if bought_now[i] then
    call('HSET', key, 'admitted', admitted, admitted_field, string.format('%d', bought_now[i]))
  else
    call('HSET', key, 'admitted', admitted)
  end
  reply[3 + 2 * i] = ceilings[i] - admitted_now[i]
  reply[4 + 2 * i] = admitted_now[i] + versions[i]
  levels[2 * i - 1], levels[2 * i] = key, admitted .. ' ' .. ceilings[i] .. ' ' .. versions[i]
end
call('SET', KEYS[4], fingerprint .. ' ' .. admission .. ' ' .. entry .. ' ' .. payload,
  'PX', receipt_ms)
-- The live feed must not fail an order that is taken; beat.lua meets the fault again.
redis.pcall('HSET', KEYS[3], unpack(levels))
return reply
