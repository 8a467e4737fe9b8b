#!lua flags=allow-oom
-- beat: the gate keeper's sign of life to one shard, every 100 ms; and the live feed.
--
-- The beat only grows. One that went back, that another server process answers, or that
-- comes after the trust given by the last one has run out, means that writes may have been
-- lost (a failover, a restart, a flush): the epoch is raised and the shard is healing from
-- then on, until heal.lua. Each beat renews the trust in the gate's refusals; where it has
-- run out they read *try again*, which covers the time until the first beat after a loss.
-- Then it publishes the levels that moved since, so that orders pay nothing for it.
--
-- KEYS
--   1  shard  hash
--   2  moved  hash  levels not yet published
-- ARGV
--   1  seen: the highest beat that the caller got from this shard, 0: none
--   2  known: the highest epoch that the caller knows of this shard, 0: none; below 2^30
--   3  trust in ms, 200..60000; shorter than any failover takes
--   4  channel of the shard's levels
-- Replies
--   {how, beat, epoch, healing_since, now, published}
--       how: 'steady' | 'back' (the beat went back) | 'new' (the shard had no beat)
--            | 'other' (another server process gave the last one)
--            | 'late' (trust had run out); all but 'steady' start a healing
--       healing_since: ms, the last beat before what may be lost; 0: everything may be;
--                      -1: not healing
-- Message on the channel, when levels moved or the epoch was raised
--   first line: epoch now; then a line an item: item's key, admitted, ceiling, version
-- Errors: GATEARG, GATEDATA; nothing is written.

local BEAT_MAX, EPOCH_MAX = 999999999999999, 1073741823
-- Epochs are whole seconds since 2026, so that 30 bits hold them.
local EPOCH_ZERO = 1767225600
local LEVELS_MAX = 1000

local call = redis.call

local function bad(what)
  error(redis.error_reply('GATEARG beat: ' .. what))
end

local function whole(text, least, most, what)
  local n = tonumber(text)
  if not n or not (n >= least and n <= most) or n % 1 ~= 0 then bad(what) end
  return n
end

local function figure(value)
  if not value then return 0 end
  return tonumber(value) or error(redis.error_reply('GATEDATA beat: not a figure'))
end

if #KEYS ~= 2 then bad('number of keys') end
if #ARGV ~= 4 then bad('number of arguments') end
local seen = whole(ARGV[1], 0, BEAT_MAX - 1, 'seen')
local known = whole(ARGV[2], 0, EPOCH_MAX - 1, 'known')
local trust = whole(ARGV[3], 200, 60000, 'trust')
local channel = ARGV[4]
if #channel < 1 or #channel > 128 then bad('channel') end

local shard = call('HMGET', KEYS[1], 'beat', 'beat_at', 'trusted_until', 'epoch', 'healing_since',
  'run_id')
local beat, beat_at, epoch = figure(shard[1]), figure(shard[2]), figure(shard[4])
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local run_id = string.match(call('INFO', 'server'), 'run_id:(%w+)') or ''
local how = 'steady'
if beat < seen then
  how = 'back'
elseif beat == 0 then
  how = 'new'
elseif shard[6] ~= run_id then
  how = 'other'
elseif now > figure(shard[3]) or now < beat_at then
  how = 'late'
end
local waiting = call('HLEN', KEYS[2])
local levels = waiting > 0 and call('HRANDFIELD', KEYS[2], LEVELS_MAX, 'WITHVALUES') or {}

local healing = shard[5] and figure(shard[5]) or -1
beat = math.max(beat, seen) + 1
call('HSET', KEYS[1], 'beat', beat, 'beat_at', now, 'trusted_until', now + trust,
  'run_id', run_id)
if how ~= 'steady' then
  -- By the clock too, so that an epoch never comes again after everything was lost.
  epoch = math.max(epoch + 1, known + 1, math.floor(now / 1000) - EPOCH_ZERO)
  healing = healing < 0 and beat_at or math.min(healing, beat_at)
  call('HSET', KEYS[1], 'epoch', epoch, 'healing_since', healing)
end
local lines, names = {string.format('%.0f %.0f', epoch, now)}, {}
for i = 1, #levels, 2 do
  names[#names + 1] = levels[i]
  lines[#lines + 1] = levels[i] .. ' ' .. levels[i + 1]
end
if #names > 0 then call('HDEL', KEYS[2], unpack(names)) end
if #names > 0 or how ~= 'steady' then call('PUBLISH', channel, table.concat(lines, '\n')) end
return {how, beat, epoch, healing, now, #names}
