// The scripts that one job goes through; see scripts.hpp and README.md.
#include "scripts.hpp"

namespace weir::redisq::scripts {

// KEYS s0 s1 s2 s3 z; ARGV limit lane j...
const job_script submit{"submit", R"lua(
local room = tonumber(ARGV[1]) - redis.call('ZCARD', KEYS[5])
for i = 1, 4 do room = room - redis.call('XLEN', KEYS[i]) end
local ids = {}
for i = 3, math.min(#ARGV, room + 2) do
  ids[i - 2] = redis.call('XADD', KEYS[ARGV[2] + 1], '*', 'j', ARGV[i])
end
return ids
)lua"};

// KEYS s0 s1 s2 s3 z h m u u:~token; ARGV j lane due-kind due limit unique-ms token token-ms
// due-kind: now, in (milliseconds from now), at (milliseconds since 1970).
// Gives {0, id} filed, {1, id} the key is taken, {2, id} filed by an earlier try, {3} full.
// The token's key tells a repeat so even when the job has ended and the unique key is another's.
const job_script file{"file", R"lua(
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[7] ~= '' then
  local earlier = redis.call('GET', KEYS[9])
  if earlier then return {2, earlier} end
end
local unique = tonumber(ARGV[6])
if unique > 0 then
  local held = redis.call('GET', KEYS[8])
  if held then return {1, held:match('^%S+') or held} end
end
local limit = tonumber(ARGV[5])
if limit > 0 then
  local size = redis.call('ZCARD', KEYS[5])
  for i = 1, 4 do size = size + redis.call('XLEN', KEYS[i]) end
  if size >= limit then return {3, ''} end
end
local due = now
if ARGV[3] == 'in' then due = now + ARGV[4] elseif ARGV[3] == 'at' then due = tonumber(ARGV[4]) end
local id
if due <= now then
  id = redis.call('XADD', KEYS[ARGV[2] + 1], '*', 'j', ARGV[1]) .. '.' .. ARGV[2]
else
  redis.call('ZCARD', KEYS[5])
  local n = redis.call('HINCRBY', KEYS[7], 'n', 1)
  id = string.format('%.0f-%.0f.d', now, n)
  redis.call('HSET', KEYS[6], id, ARGV[2] .. ARGV[1])
  redis.call('ZADD', KEYS[5], string.format('%.0f', due), id)
end
if unique > 0 then redis.call('SET', KEYS[8], id, 'PX', unique) end
if ARGV[7] ~= '' then redis.call('SET', KEYS[9], id, 'PX', ARGV[8]) end
return {0, id}
)lua"};

// KEYS s0 s1 s2 s3 z h; ARGV limit. Gives {moved, next due or '', now}.
// What cannot be moved for the sake of its stream is tried again five seconds later.
const job_script promote{"promote", R"lua(
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
local due = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, ARGV[1])
local moved = 0
for _, id in ipairs(due) do
  local job = redis.call('HGET', KEYS[6], id)
  local lane = job and job:sub(1, 1)
  if not job or lane == '@' then
    redis.call('ZREM', KEYS[5], id)
  else
    local entry = redis.pcall('XADD', KEYS[lane + 1], '*', 'j', job:sub(2), 'i', id)
    if type(entry) == 'string' then
      redis.call('HSET', KEYS[6], id, '@' .. lane .. entry)
      redis.call('ZREM', KEYS[5], id)
      moved = moved + 1
    elseif entry.err:sub(1, 9) == 'WRONGTYPE' then
      redis.call('ZADD', KEYS[5], string.format('%.0f', now + 5000), id)
    else
      return entry
    end
  end
end
local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
return {moved, first[2] or '', now}
)lua"};

// KEYS s h r u; ARGV group consumer entry filed-id result result-ms unique-id channel message
// Gives 1, or 0 where the job is no longer the consumer's; then nothing has changed.
const job_script settle{"settle", R"lua(
local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #own == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[3])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] ~= '' then redis.pcall('HDEL', KEYS[2], ARGV[4]) end
if ARGV[7] ~= '' then
  local held = redis.pcall('GET', KEYS[4])
  if held == ARGV[7] then redis.call('DEL', KEYS[4]) end
end
if ARGV[6] ~= '0' then redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[6]) end
if ARGV[8] ~= '' then redis.call('PUBLISH', ARGV[8], ARGV[9]) end
return 1
)lua"};

// KEYS s z h; ARGV group consumer entry id lane j delay-ms
// Gives {1, due}, or {0} where the job is no longer the consumer's; then nothing has changed.
// The first ZREM removes nothing: a script that has begun to write is let finish at maxmemory.
const job_script retry{"retry", R"lua(
local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #own == 0 then return {0, ''} end
local t = redis.call('TIME')
local due = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[7])
redis.call('ZREM', KEYS[2], '')
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5] .. ARGV[6])
redis.call('ZADD', KEYS[2], due, ARGV[4])
redis.call('XDEL', KEYS[1], ARGV[3])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
return {1, due}
)lua"};

// KEYS s dead d h r u; ARGV group consumer entry id j result result-ms unique-id channel message
// Gives 1 or 0 as settle does.
const job_script bury{"bury", R"lua(
local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #own == 0 then return 0 end
local t = redis.call('TIME')
redis.call('ZREM', KEYS[2], '')
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
redis.call('ZADD', KEYS[2], string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)), ARGV[4])
redis.call('XDEL', KEYS[1], ARGV[3])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
redis.pcall('HDEL', KEYS[4], ARGV[4])
if ARGV[8] ~= '' then
  local held = redis.pcall('GET', KEYS[6])
  if held == ARGV[8] then redis.call('DEL', KEYS[6]) end
end
if ARGV[7] ~= '0' then redis.call('SET', KEYS[5], ARGV[6], 'PX', ARGV[7]) end
if ARGV[9] ~= '' then redis.call('PUBLISH', ARGV[9], ARGV[10]) end
return 1
)lua"};

// KEYS s0 s1 s2 s3 z h c r; ARGV group id result result-ms
// Gives {word, j}: canceled (it waited, and is gone), running (its worker was asked), unknown.
const job_script cancel{"cancel", R"lua(
local id = ARGV[2]
local stem, kind = id:match('^(%d+%-%d+)%.([0-3d])$')
if not stem then return {'unknown', ''} end
local function ended(job)
  redis.call('HDEL', KEYS[6], id)
  if ARGV[4] ~= '0' then redis.call('SET', KEYS[8], ARGV[3], 'PX', ARGV[4]) end
  return {'canceled', job}
end
local lane, entry = kind, stem
local filed = redis.call('HGET', KEYS[6], id)
if filed and filed:sub(1, 1) ~= '@' then
  redis.call('ZREM', KEYS[5], id)
  return ended(filed:sub(2))
elseif filed then
  lane, entry = filed:sub(2, 2), filed:sub(3)
elseif kind == 'd' then
  return {'unknown', ''}
end
local found = redis.call('XRANGE', KEYS[lane + 1], entry, entry)
if #found == 0 then return {'unknown', ''} end
local held = redis.pcall('XPENDING', KEYS[lane + 1], ARGV[1], entry, entry, 1)
if not held.err and #held > 0 and held[1][2]:sub(1, 1) ~= '~' then
  redis.call('HSET', KEYS[7], id, held[1][2])
  return {'running', ''}
end
redis.call('XDEL', KEYS[lane + 1], entry)
redis.pcall('XACK', KEYS[lane + 1], ARGV[1], entry)
return ended(found[1][2][2])
)lua"};

// KEYS s r; ARGV group consumer entry record keep-ms. Gives 1 or 0 as settle does.
const job_script progress{"progress", R"lua(
local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #own == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
return 1
)lua"};

// KEYS dead d h s; ARGV id lane j. Gives 1, or 0 where no such job is dead.
const job_script revive{"revive", R"lua(
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('HLEN', KEYS[3])
local entry = redis.call('XADD', KEYS[4], '*', 'j', ARGV[3], 'i', ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], '@' .. ARGV[2] .. entry)
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
)lua"};

// KEYS u; ARGV id. Gives 1 where the key was this job's.
const job_script release{"release", R"lua(
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
)lua"};

}  // namespace weir::redisq::scripts
