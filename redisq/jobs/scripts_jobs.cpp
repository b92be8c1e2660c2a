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

// KEYS s0 s1 s2 s3 z. Gives the jobs that wait, run or are delayed, all counted in one moment.
const job_script size{"size", R"lua(
local size = redis.call('ZCARD', KEYS[5])
for i = 1, 4 do size = size + redis.call('XLEN', KEYS[i]) end
return size
)lua"};

// KEYS s0 s1 s2 s3 z h m u t; ARGV j lane due-kind due limit unique-ms token token-ms
// due-kind: now, in (milliseconds from now), at (milliseconds since 1970).
// A unique key is held for unique-ms from when the job is due.
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
if unique > 0 then
  redis.call('SET', KEYS[8], id, 'PX', string.format('%.0f', unique + math.max(due - now, 0)))
end
if ARGV[7] ~= '' then redis.call('SET', KEYS[9], id, 'PX', ARGV[8]) end
return {0, id}
)lua"};

// KEYS s0 s1 s2 s3 z h dead d m; ARGV limit. Gives {moved, next due or '', now}.
// What cannot be moved for the sake of its stream is tried again five seconds later. A record that
// names no lane goes to the dead as the payload of a job of the type "damaged record", with the
// reason in its history; where those keys hold something else, it is tried again as well.
const job_script promote{"promote", R"lua(
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
local later = string.format('%.0f', now + 5000)
local function sized(text)
  local n, length = #text, ''
  while n >= 128 do length = length .. string.char(n % 128 + 128); n = math.floor(n / 128) end
  return length .. string.char(n) .. text
end
local function set_aside(id, job)
  local why = '0\t' .. now .. '\t-\tthe record of this delayed job is damaged: ' ..
              'its first byte is no lane from 0 to 3\n'
  local kept = '\1\4\14damaged record' .. sized('h' .. sized(why)) .. job
  redis.call('ZREM', KEYS[5], id)
  local filed = redis.pcall('HSET', KEYS[8], id, kept)
  local dated = type(filed) == 'number' and redis.pcall('ZADD', KEYS[7], now, id)
  if type(dated) ~= 'number' then
    redis.pcall('HDEL', KEYS[8], id)
    redis.call('ZADD', KEYS[5], later, id)
    return
  end
  redis.call('HDEL', KEYS[6], id)
  redis.pcall('HINCRBY', KEYS[9], 'dead', 1)
end
local due = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, ARGV[1])
local moved = 0
for _, id in ipairs(due) do
  local job = redis.call('HGET', KEYS[6], id)
  local lane = job and job:match('^[0-3@]')
  if not job or lane == '@' then
    redis.call('ZREM', KEYS[5], id)
  elseif not lane then
    set_aside(id, job)
  else
    local entry = redis.pcall('XADD', KEYS[lane + 1], '*', 'j', job:sub(2), 'i', id)
    if type(entry) == 'string' then
      redis.call('HSET', KEYS[6], id, '@' .. lane .. entry)
      redis.call('ZREM', KEYS[5], id)
      moved = moved + 1
    elseif entry.err:sub(1, 9) == 'WRONGTYPE' then
      redis.call('ZADD', KEYS[5], later, id)
    else
      return entry
    end
  end
end
local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
return {moved, first[2] or '', now}
)lua"};

// KEYS s h r u s-next; ARGV group consumer entry filed-id result result-ms unique-id channel id
// lane-next j-next
// Gives 1, or 0 where the job is no longer the consumer's; then nothing has changed. A worker that
// may not publish has ended the job all the same. Where j-next is given, the next step of a chain
// is queued, with the same id.
const job_script settle{"settle", R"lua(
local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #own == 0 then return 0 end
if ARGV[11] ~= '' then
  redis.call('HDEL', KEYS[2], '')
  local entry = redis.call('XADD', KEYS[5], '*', 'j', ARGV[11], 'i', ARGV[9])
  redis.call('HSET', KEYS[2], ARGV[9], '@' .. ARGV[10] .. entry)
elseif ARGV[4] ~= '' then
  redis.pcall('HDEL', KEYS[2], ARGV[4])
end
redis.call('XDEL', KEYS[1], ARGV[3])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
if ARGV[7] ~= '' then
  local held = redis.pcall('GET', KEYS[4])
  if held == ARGV[7] then redis.call('DEL', KEYS[4]) end
end
if ARGV[6] ~= '0' then redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[6]) end
if ARGV[8] ~= '' then redis.pcall('PUBLISH', ARGV[8], ARGV[9]) end
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
if ARGV[9] ~= '' then redis.pcall('PUBLISH', ARGV[9], ARGV[10]) end
return 1
)lua"};

// KEYS s0 s1 s2 s3 z h c w r u; ARGV group id mark result-ms unique channel read
// unique: 1 where KEYS[10] is the job's; read: 1 where the job was found, else its unique key and
// channel are not known. Gives canceled (it waited, and is gone), running (its worker was asked),
// unknown, or again: it stands elsewhere by now. The mark, 'c' and something of the caller's own,
// is kept as the result: a repeat of a call whose reply was lost finds it and says the same. A
// worker whose lease is over has no say. The first ZREM removes nothing, see retry.
const job_script cancel{"cancel", R"lua(
local id = ARGV[2]
local stem, kind = id:match('^(%d+%-%d+)%.([0-3d])$')
if not stem then return 'unknown' end
redis.call('ZREM', KEYS[5], '')
local function ended()
  redis.call('HDEL', KEYS[6], id)
  redis.pcall('HDEL', KEYS[7], id)
  if ARGV[5] == '1' and redis.pcall('GET', KEYS[10]) == id then redis.call('DEL', KEYS[10]) end
  redis.call('SET', KEYS[9], ARGV[3], 'PX', ARGV[4])
  if ARGV[6] ~= '' then redis.pcall('PUBLISH', ARGV[6], id) end
  return 'canceled'
end
local function missing()
  redis.pcall('HDEL', KEYS[7], id)
  return redis.pcall('GET', KEYS[9]) == ARGV[3] and 'canceled' or 'unknown'
end
local lane, entry = kind, stem
local filed = redis.call('HGET', KEYS[6], id)
if filed and filed:sub(1, 1) ~= '@' then
  if ARGV[7] ~= '1' then return 'again' end
  redis.call('ZREM', KEYS[5], id)
  return ended()
elseif filed then
  lane, entry = filed:match('^@([0-3])(%d+%-%d+)$')
end
if not entry or lane == 'd' then return missing() end
local stream = KEYS[lane + 1]
if #redis.call('XRANGE', stream, entry, entry) == 0 then return missing() end
if ARGV[7] ~= '1' then return 'again' end
local held = redis.pcall('XPENDING', stream, ARGV[1], entry, entry, 1)
local holder = not held.err and held[1] and held[1][2] or '~'
if holder:sub(1, 1) ~= '~' then
  local t = redis.call('TIME')
  local lease = redis.pcall('ZSCORE', KEYS[8], holder)
  redis.call('HSET', KEYS[7], id, holder)
  if type(lease) == 'string' and tonumber(lease) > t[1] * 1000 + math.floor(t[2] / 1000) then
    return 'running'
  end
end
redis.call('XDEL', stream, entry)
redis.pcall('XACK', stream, ARGV[1], entry)
return ended()
)lua"};

// KEYS s h z, and for each job r u; ARGV group aside, and for each job entry id result-ms unique
// channel. Removes jobs that wait: their entries, or, where entry is '', those that are delayed;
// gives how many. What a worker holds is left alone, and unless aside is 1, what was set aside.
const job_script discard{"discard", R"lua(
redis.call('ZREM', KEYS[3], '')
local function waits(entry)
  local held = redis.pcall('XPENDING', KEYS[1], ARGV[1], entry, entry, 1)
  local holder = not held.err and held[1] and held[1][2]
  return not holder or holder == '~back' or (ARGV[2] == '1' and holder:sub(1, 2) == '~v')
end
local gone = 0
for i = 0, (#ARGV - 2) / 5 - 1 do
  local entry, id, keep, unique, channel = unpack(ARGV, 5 * i + 3, 5 * i + 7)
  local removed = 0
  if entry == '' then
    removed = redis.call('ZREM', KEYS[3], id)
  elseif waits(entry) then
    removed = redis.call('XDEL', KEYS[1], entry)
    redis.pcall('XACK', KEYS[1], ARGV[1], entry)
  end
  if removed == 1 then
    local result, key = KEYS[2 * i + 4], KEYS[2 * i + 5]
    gone = gone + 1
    redis.call('HDEL', KEYS[2], id)
    if unique == '1' and redis.pcall('GET', key) == id then redis.call('DEL', key) end
    if keep ~= '0' then redis.call('SET', result, 'c', 'PX', keep) end
    if channel ~= '' then redis.pcall('PUBLISH', channel, id) end
  end
end
return gone
)lua"};

// KEYS s r; ARGV group consumer entry record keep-ms. Gives 1 or 0 as settle does.
// DEL, whose key is written again at once, lets the script finish at maxmemory.
const job_script progress{"progress", R"lua(
local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #own == 0 then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
return 1
)lua"};

// KEYS dead d h s r; ARGV id lane j. Gives 1, or 0 where no such job is dead. Its result, which is
// its death, is forgotten.
const job_script revive{"revive", R"lua(
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('HLEN', KEYS[3])
local entry = redis.call('XADD', KEYS[4], '*', 'j', ARGV[3], 'i', ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], '@' .. ARGV[2] .. entry)
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[5])
return 1
)lua"};

}  // namespace weir::redisq::scripts
