// The scripts of workers and schedulers; see scripts.hpp and README.md.
#include <array>

#include "scripts.hpp"

namespace weir::redisq {

namespace scripts {

// KEYS s0 s1 s2 s3 w i; ARGV group consumer lease-ms info
// Gives {now, lanes whose key holds something else...}.
const job_script join{"join", R"lua(
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREM', KEYS[5], '')
local answer = {string.format('%.0f', now)}
for i = 1, 4 do
  local made = redis.pcall('XGROUP', 'CREATE', KEYS[i], ARGV[1], '0', 'MKSTREAM')
  if made.err and made.err:find('BUSYGROUP', 1, true) == nil then
    if made.err:find('WRONGTYPE', 1, true) == nil then return made end
    answer[#answer + 1] = i - 1
  end
end
redis.call('ZADD', KEYS[5], string.format('%.0f', now + ARGV[3]), ARGV[2])
redis.call('HSET', KEYS[6], ARGV[2], ARGV[4])
return answer
)lua"};

// KEYS w m c z; ARGV consumer lease-ms done failed dead id...
// Gives {0} where the lease is lost, else {1, now, paused, expired workers, next due or '', ids to
// cancel...}: those of this worker, and of workers that are gone, whose jobs others may have. They
// are named until they are among the arguments, so that none is lost with a reply.
// A lease that has run out and that nobody has reaped goes on.
const job_script beat{"beat", R"lua(
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local mine = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not mine or mine == '0' then return {0} end
redis.call('ZREM', KEYS[1], '')
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
for i, count in ipairs({'done', 'failed', 'dead'}) do
  if ARGV[i + 2] ~= '0' then redis.pcall('HINCRBY', KEYS[2], count, ARGV[i + 2]) end
end
local paused = redis.pcall('HGET', KEYS[2], 'paused')
local due = redis.pcall('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
local answer = {1, string.format('%.0f', now), paused == '1' and 1 or 0,
                redis.call('ZCOUNT', KEYS[1], '-inf', string.format('%.0f', now)),
                due[2] or ''}
local function is_mine(holder)
  return holder == ARGV[1] or not redis.call('ZSCORE', KEYS[1], holder)
end
for i = 6, #ARGV do
  local holder = redis.pcall('HGET', KEYS[3], ARGV[i])
  if type(holder) == 'string' and is_mine(holder) then redis.call('HDEL', KEYS[3], ARGV[i]) end
end
local asked = redis.pcall('HGETALL', KEYS[3])
for i = 1, #asked, 2 do
  if is_mine(asked[i + 1]) then answer[#answer + 1] = asked[i] end
end
return answer
)lua"};

// KEYS s0 s1 s2 s3 w i; ARGV group consumer limit (1 or more)
// Gives {left, {lane, entry, deliveries before, fields}...}; left: 1 where more is to be claimed.
// Claims from workers whose lease has run out, and from consumers that have none: those of
// reaped workers whose blocked read made them again, and what was handed back ('~back'). Those of
// unknown envelope versions ('~v...') are left alone. Consumers without jobs are removed.
// The first ZREM removes nothing: a script that has begun to write is let finish at maxmemory.
const job_script reap{"reap", R"lua(
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
local left = tonumber(ARGV[3])
redis.call('ZREM', KEYS[5], '')
local gone, names = {}, {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now)) do
  if name ~= ARGV[2] then gone[name] = true; names[#names + 1] = name end
end
for i = 1, 4 do
  local all = redis.pcall('XINFO', 'CONSUMERS', KEYS[i], ARGV[1])
  for _, info in ipairs(all) do
    local name = info[2]
    if not gone[name] and name:sub(1, 2) ~= '~v' and not redis.call('ZSCORE', KEYS[5], name) then
      gone[name] = true; names[#names + 1] = name
    end
  end
end
local answer = {0}
local function claim(lane, name)
  local held = redis.pcall('XPENDING', KEYS[lane + 1], ARGV[1], '-', '+', left, name)
  if held.err or #held == 0 then return end
  redis.call('ZADD', KEYS[5], 'XX', 0, name)
  local ids, count = {}, {}
  for _, each in ipairs(held) do
    ids[#ids + 1] = each[1]; count[each[1]] = each[4]
  end
  for _, entry in ipairs(redis.call('XCLAIM', KEYS[lane + 1], ARGV[1], ARGV[2], 0, unpack(ids))) do
    if entry and entry[2] then
      answer[#answer + 1] = {lane, entry[1], count[entry[1]], entry[2]}
      count[entry[1]] = nil
    end
  end
  for id in pairs(count) do redis.call('XACK', KEYS[lane + 1], ARGV[1], id) end
  left = left - #ids
end
for _, name in ipairs(names) do
  for lane = 0, 3 do
    if left > 0 then claim(lane, name) end
  end
  if left <= 0 then answer[1] = 1; break end
  for i = 1, 4 do redis.pcall('XGROUP', 'DELCONSUMER', KEYS[i], ARGV[1], name) end
  redis.call('ZREM', KEYS[5], name)
  redis.call('HDEL', KEYS[6], name)
end
return answer
)lua"};

// KEYS s; ARGV group consumer entry... Gives {entry, deliveries, fields}... of those that are the
// consumer's; their deliveries are not counted once more. Entries that are gone are acknowledged.
const job_script recall{"recall", R"lua(
local found = {}
for i = 3, #ARGV do
  local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if #own > 0 then
    local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])
    if #entry > 0 then
      found[#found + 1] = {ARGV[i], own[1][4], entry[1][2]}
    else
      redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    end
  end
end
return found
)lua"};

// KEYS s; ARGV group consumer entry holder. Gives 1, or 0 where the job is no longer the
// consumer's; then nothing has changed.
const job_script aside{"aside", R"lua(
local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #own == 0 then return 0 end
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[4], 0, ARGV[3], 'JUSTID')
return 1
)lua"};

// KEYS s0 s1 s2 s3 w i; ARGV group consumer. Gives how many jobs were handed back.
// They go to the consumer '~back', with one delivery taken off: being handed back is no crash.
const job_script leave{"leave", R"lua(
redis.call('ZREM', KEYS[5], ARGV[2])
redis.call('HDEL', KEYS[6], ARGV[2])
local back = 0
for i = 1, 4 do
  repeat
    local held = redis.pcall('XPENDING', KEYS[i], ARGV[1], '-', '+', 1000, ARGV[2])
    if held.err then held = {} end
    for _, each in ipairs(held) do
      redis.call('XCLAIM', KEYS[i], ARGV[1], '~back', 0, each[1],
                 'RETRYCOUNT', math.max(each[4] - 1, 0), 'JUSTID')
      back = back + 1
    end
  until #held == 0
  redis.pcall('XGROUP', 'DELCONSUMER', KEYS[i], ARGV[1], ARGV[2])
end
return back
)lua"};

// KEYS l; ARGV interval-us burst wanted
// Gives {starts that are granted, at most as many as wanted, microseconds until the next one}.
// The generic cell rate algorithm: the key holds when the next start would be due. DEL, whose key
// is written again at once, lets the script finish at maxmemory.
const job_script rate{"rate", R"lua(
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local free = math.floor((now - due) / interval) + burst
local granted = math.max(math.min(free, tonumber(ARGV[3])), 0)
if granted > 0 then
  due = due + granted * interval
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX',
             string.format('%.0f', math.ceil((due - now) / 1000) + 1000))
end
return {granted, math.max(math.ceil(due - now - interval * (burst - 1)), 0)}
)lua"};

// KEYS cron s; ARGV name tick-ms j. Gives the entry's id, or '' where that tick was enqueued.
// A last tick that is no number counts as none.
const job_script tick{"tick", R"lua(
local last = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '-1') or -1
if last >= tonumber(ARGV[2]) then return '' end
local entry = redis.call('XADD', KEYS[2], '*', 'j', ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return entry
)lua"};

}  // namespace scripts

std::span<const job_script> job_scripts() noexcept {
    static const std::array all = {
        scripts::submit,   scripts::size,   scripts::file,     scripts::promote,  scripts::settle,
        scripts::retry,    scripts::bury,   scripts::join,     scripts::beat,     scripts::reap,
        scripts::leave,    scripts::cancel, scripts::discard,  scripts::progress, scripts::rate,
        scripts::tick,     scripts::revive, scripts::aio_beat, scripts::aio_take, scripts::aio_fail,
        scripts::aio_back, scripts::recall, scripts::aside,
    };
    return all;
}

}  // namespace weir::redisq
