// A rate limit that processes share, as a token bucket in a script: the server's clock and one
// round trip decide, and two callers never spend the same token.
//
// usage: example_redis_rate_limiter [URL]    without one, a private redis-server is started
#include <cstdio>
#include <stdexcept>
#include <string>
#include <tuple>
#include <weir/redisq.hpp>
#include <weir/runtime.hpp>

#include "redis_main.hpp"

namespace redisq = weir::redisq;
using redisq::value_or_throw;

// ARGV: tokens that the bucket holds, tokens that come a second. Gives whether one was taken, and
// how many milliseconds later one will be there.
const redisq::script take_token(R"(
    local now = redis.call('TIME')
    local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
    local capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
    local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
    local tokens = tonumber(bucket[1]) or capacity
    local since_ms = math.max(0, now_ms - (tonumber(bucket[2]) or now_ms))
    tokens = math.min(capacity, tokens + since_ms * rate / 1000)
    local taken = 0
    if tokens >= 1 then
        tokens = tokens - 1
        taken = 1
    end
    redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now_ms)
    redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / rate * 1000))
    return {taken, math.ceil(math.max(0, 1 - tokens) / rate * 1000)}
)");

struct admission {
    bool admitted = false;
    int retry_ms = 0;
};

weir::task<admission> admit(redisq::client* redis, std::string user, int capacity, int rate) {
    using answer = std::tuple<int, int>;
    const std::string key = "limit:" + user;
    const auto [taken, retry_ms] =
        value_or_throw(co_await redis->run<answer>(take_token, redisq::keys(key), capacity, rate));
    co_return admission{.admitted = taken == 1, .retry_ms = retry_ms};
}

weir::task<> main_task(const char* url) {
    redisq::client redis(url);
    value_or_throw(co_await redis.command<int>("DEL", "limit:ann", "limit:bob"));
    // Five at once; from then on one a second.
    for (const char* const user : {"ann", "bob"}) {
        int admitted = 0;
        int refused = 0;
        int retry_ms = 0;
        for (int request = 0; request < 8; ++request) {
            const admission now = co_await admit(&redis, user, 5, 1);
            (now.admitted ? admitted : refused) += 1;
            retry_ms = now.retry_ms;
        }
        std::printf("%s: %d requests admitted, %d refused, the next in %d ms\n", user, admitted,
                    refused, retry_ms);
        if (admitted < 5) {
            throw std::runtime_error("a bucket of 5 gave less");
        }
    }
    co_await redis.close();
}

int main(int argc, char** argv) { return example::run_with_url(argc, argv, main_task); }
