"""What Redis does as one step, in Lua. All keys of a script lie on one node (`names`)."""

from __future__ import annotations

from vela.adapters.redis.server import Script

ADD = Script(
    """
-- KEYS: the bus's clock, a stream, how far this publisher has come in it.
-- ARGV: how many entries the stream may hold, then number and message, again and again.
-- Returns the number of the last message that is in the stream, and the stream's length.
-- A number that is in already is passed over: who got no answer may send the same again.
-- Ids grow over all streams, which gives messages of several topics their order: they are microseconds of the server's
-- clock, each at least one more than the last, written as Redis writes an id: ms-rest.
local stream = KEYS[2]
local told = tonumber(redis.call('GET', KEYS[3])) or 0
local room = tonumber(ARGV[1]) - redis.call('XLEN', stream)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local last = tonumber(redis.call('GET', KEYS[1])) or 0

local function add(message)
  last = math.max(now, last + 1)
  local id = string.format('%.0f-%.0f', math.floor(last / 1000), last % 1000)
  return redis.pcall('XADD', stream, id, 'envelope', message)
end

for i = 2, #ARGV, 2 do
  if tonumber(ARGV[i]) > told then
    if room <= 0 then break end
    local added = add(ARGV[i + 1])
    if type(added) == 'table' and added.err and string.find(added.err, 'equal or smaller') then
      -- Others add with ids of their own, which may be ahead of the clock.
      local info = redis.call('XINFO', 'STREAM', stream)
      for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then
          last = (tonumber(string.match(info[i + 1], '^%d+')) + 1) * 1000
        end
      end
      added = add(ARGV[i + 1])
    end
    if type(added) == 'table' and added.err then return added end
    told = tonumber(ARGV[i])
    room = room - 1
  end
end
redis.call('SET', KEYS[1], string.format('%.0f', last))
redis.call('SET', KEYS[3], string.format('%.0f', told), 'EX', 86400)
return {told, redis.call('XLEN', stream)}
"""
)

TRIM = Script(
    """
-- KEYS: streams. ARGV: how many messages of each stream are left in any case.
-- Takes away what every group has acknowledged, and nothing else.
-- Returns of each stream its length after that, and the group that holds it up, if any does.
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local answer = {}
for number, stream in ipairs(KEYS) do
  local kept = tonumber(ARGV[number])
  local groups = redis.call('EXISTS', stream) == 1 and redis.call('XINFO', 'GROUPS', stream) or {}
  local ms, seq, slowest
  for _, info in ipairs(groups) do
    local group = {}
    for i = 1, #info, 2 do group[info[i]] = info[i + 1] end
    local first_ms, first_seq
    if group.pending > 0 then
      first_ms, first_seq = parts(redis.call('XPENDING', stream, group.name)[2])
    else
      first_ms, first_seq = parts(group['last-delivered-id'])
      first_seq = first_seq + 1
    end
    if not ms or first_ms < ms or (first_ms == ms and first_seq < seq) then
      ms, seq, slowest = first_ms, first_seq, group.name
    end
  end
  if ms and kept > 0 then
    local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', kept)
    if #newest > 0 then
      local last_ms, last_seq = parts(newest[#newest][1])
      if last_ms < ms or (last_ms == ms and last_seq < seq) then ms, seq = last_ms, last_seq end
    end
  end
  if ms then
    redis.call('XTRIM', stream, 'MINID', '=', string.format('%.0f-%.0f', ms, seq))
  else
    redis.call('XTRIM', stream, 'MAXLEN', '=', kept)
  end
  answer[#answer + 1] = redis.call('XLEN', stream)
  answer[#answer + 1] = slowest or ''
end
return answer
"""
)

IS_SETTLED = Script(
    """
-- KEYS: streams. Returns 1 if every group has read and acknowledged all of them, at this one moment; else 0.
-- `lag` would tell the same, but there is none before Redis 7.
for _, stream in ipairs(KEYS) do
  if redis.call('EXISTS', stream) == 1 then
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local group = {}
      for i = 1, #info, 2 do group[info[i]] = info[i + 1] end
      if group.pending > 0 then return 0 end
      local unread = redis.call('XRANGE', stream, '(' .. group['last-delivered-id'], '+', 'COUNT', 1)
      if #unread > 0 then return 0 end
    end
  end
end
return 1
"""
)

BURY = Script(
    """
-- KEYS: a stream, that of its dead letters. ARGV: how many of these are kept, group, id, then fields and values.
-- The letter is there before the message is acknowledged: should there be no memory for it, nothing happens.
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 4))
return redis.call('XACK', KEYS[1], ARGV[2], ARGV[3])
"""
)

GROUPS = Script(
    """
-- KEYS: a stream. Returns its groups: name and the id up to which each was given messages, again and again.
local answer = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    for i = 1, #info, 2 do
      if info[i] == 'name' or info[i] == 'last-delivered-id' then answer[#answer + 1] = info[i + 1] end
    end
  end
end
return answer
"""
)

REPLACE = Script(
    """
-- KEYS: a stream. ARGV: a family of groups, then the names that are to be its members from now on.
-- A new member begins with the oldest message that one of those before has not acknowledged, or with the next one where
-- there was none before. Then those that are no members any more are destroyed. Returns how many were.
local stream, family = KEYS[1], ARGV[1]
local wanted, missing = {}, {}
for i = 2, #ARGV do wanted[ARGV[i]] = true; missing[ARGV[i]] = true end

local function before(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  if tonumber(seq) > 0 then return string.format('%s-%.0f', ms, tonumber(seq) - 1) end
  return string.format('%.0f-18446744073709551615', tonumber(ms) - 1)
end

local function is_older(id, other)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  local other_ms, other_seq = string.match(other, '^(%d+)-(%d+)$')
  if ms ~= other_ms then return tonumber(ms) < tonumber(other_ms) end
  return tonumber(seq) < tonumber(other_seq)
end

local start
local leaving = {}
for _, info in ipairs(redis.call('EXISTS', stream) == 1 and redis.call('XINFO', 'GROUPS', stream) or {}) do
  local group = {}
  for i = 1, #info, 2 do group[info[i]] = info[i + 1] end
  if group.name == family or string.sub(group.name, 1, #family + 1) == family .. '-' then
    missing[group.name] = nil
    if not wanted[group.name] then leaving[#leaving + 1] = group.name end
    local done = group['last-delivered-id']
    if group.pending > 0 then done = before(redis.call('XPENDING', stream, group.name)[2]) end
    if not start or is_older(done, start) then start = done end
  end
end
for name in pairs(missing) do redis.call('XGROUP', 'CREATE', stream, name, start or '$', 'MKSTREAM') end
for _, name in ipairs(leaving) do redis.call('XGROUP', 'DESTROY', stream, name) end
return #leaving
"""
)
