#!lua flags=no-writes
-- level: reads the stock level and the terms of items, for display and for the gate
-- keeper's comparison. Never for a decision: reserve alone decides.
-- It writes nothing and may run on a replica (EVALSHA_RO).
--
-- KEYS
--   1   shard  hash
--   2.. item   hash  1..500 items
-- ARGV: none
-- Replies
--   {epoch, now, item, item, ...}, each item null when it is not loaded, else
--   {admitted, ceiling, level, version, opens_at, closes_at, paused, limit, counted, healing}
--       (epoch, level) is the level's version, level = admitted + version;
--       epoch is 0 until the shard's first beat;
--       healing is 0, or the mark that heal.lua wants back
-- Errors: GATEARG, GATEDATA

local ITEMS_MAX = 500

local call = redis.call

local function corrupt(what)
  error(redis.error_reply('GATEDATA level: ' .. what))
end

-- A figure as stored; an absent one counts as nought.
local function figure(value)
  if not value then return 0 end
  return tonumber(value) or corrupt('not a figure')
end

if #KEYS < 2 or #KEYS > 1 + ITEMS_MAX or #ARGV ~= 0 then
  error(redis.error_reply('GATEARG level: number of keys or arguments'))
end

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local reply = {figure(call('HGET', KEYS[1], 'epoch')), now}
for i = 2, #KEYS do
  local item = call('HMGET', KEYS[i], 'terms', 'admitted', 'healing')
  local entry = false
  if item[1] then
    local version, ceiling, opens, closes, paused, limit, counted =
      string.match(item[1], '^(%d+) (%d+) (%d+) (%d+) (%d) (%d+) (%d)$')
    if not version then corrupt('terms') end
    local admitted = figure(item[2])
    entry = {admitted, figure(ceiling), admitted + figure(version), figure(version),
      figure(opens), figure(closes), figure(paused), figure(limit), figure(counted),
      figure(item[3])}
  end
  reply[i + 1] = entry
end
return reply
