// The scripts of a consumer of nb_aio_task lists; see scripts.hpp and detail/aio_list.hpp.
//
// Each begins to write with a command that changes nothing and needs no memory, so that it goes
// through at maxmemory, where LMOVE, SET and RPUSH alone are refused.
#include "scripts.hpp"

namespace weir::redisq::scripts {

// KEYS lease consumers; ARGV id lease-ms prefix-of-leases. Gives the ids of consumers without
// lease.
const job_script aio_beat{"aio_beat", R"lua(
redis.call('SREM', KEYS[2], '')
redis.call('SET', KEYS[1], 1, 'PX', ARGV[2])
redis.call('SADD', KEYS[2], ARGV[1])
local gone = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if redis.call('EXISTS', ARGV[3] .. id) == 0 then gone[#gone + 1] = id end
end
return gone
)lua"};

// KEYS list running arrived failed; ARGV first count bytes-max batch-bytes
// Gives up to count elements, which stand in `running` under the numbers from first on. A repeat
// with the same number gives the same ones. What is larger than bytes-max goes to the failed.
const job_script aio_take{"aio_take", R"lua(
local count, largest = tonumber(ARGV[2]), tonumber(ARGV[3])
local taken, bytes = {}, 0
local function number() return string.format('%.0f', ARGV[1] + #taken) end
while #taken < count do
  local known = redis.call('HGET', KEYS[2], number())
  if not known then break end
  taken[#taken + 1] = known
end
if #taken > 0 then return taken end
redis.call('HDEL', KEYS[2], '')
redis.call('LLEN', KEYS[1])
while #taken < count and bytes < tonumber(ARGV[4]) do
  local element = redis.call('LPOP', KEYS[3]) or redis.call('LPOP', KEYS[1])
  if not element then break end
  if #element > largest then
    local why = string.format('\nhas %d bytes; allowed: at most %d', #element, largest)
    local kept = redis.pcall('RPUSH', KEYS[4], element .. why)
    if type(kept) ~= 'number' then
      redis.call('LPUSH', KEYS[1], element)
      if #taken == 0 then return kept end
      break
    end
  else
    redis.call('HSET', KEYS[2], number(), element)
    taken[#taken + 1] = element
    bytes = bytes + #element
  end
end
return taken
)lua"};

// KEYS running failed; ARGV number text. The end of a call that failed; once, however often it is
// repeated.
const job_script aio_fail{"aio_fail", R"lua(
redis.call('LLEN', KEYS[2])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then redis.call('RPUSH', KEYS[2], ARGV[2]) end
return 1
)lua"};

// KEYS list running arrived lease consumers; ARGV id-to-forget limit number...
// What a consumer without lease held goes back to the head of the list, in its order: up to `limit`
// of what has arrived, and when none of that is left, the elements with these numbers, which come
// from the highest one down. Gives 0 all is back, 1 more has arrived, 2 there are other numbers.
const job_script aio_back{"aio_back", R"lua(
if redis.call('EXISTS', KEYS[4]) == 1 then return 0 end
redis.call('HDEL', KEYS[2], '')
redis.call('LLEN', KEYS[1])
for i = 1, tonumber(ARGV[2]) do
  local element = redis.call('RPOP', KEYS[3])
  if not element then break end
  redis.call('LPUSH', KEYS[1], element)
end
if redis.call('EXISTS', KEYS[3]) == 1 then return 1 end
for i = 3, #ARGV do
  local element = redis.call('HGET', KEYS[2], ARGV[i])
  if element then
    redis.call('LPUSH', KEYS[1], element)
    redis.call('HDEL', KEYS[2], ARGV[i])
  end
end
if redis.call('EXISTS', KEYS[2]) == 1 then return 2 end
redis.call('SREM', KEYS[5], ARGV[1])
return 0
)lua"};

}  // namespace weir::redisq::scripts
