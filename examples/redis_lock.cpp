// A lock that processes share: whoever sets the key holds it, for a limited time, so that a holder
// that dies does not hold it for ever. Only the holder gives it up: a script compares the token.
//
// A lease may end while its holder still works (a pause, a slow network), so what the lock protects
// must bear a late writer: here the token rises with each lease, and a smaller one is refused.
//
// usage: example_redis_lock [URL]    without one, a private redis-server is started
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <weir/redisq.hpp>
#include <weir/runtime.hpp>

#include "redis_main.hpp"

namespace redisq = weir::redisq;
using namespace std::chrono_literals;
using redisq::value_or_throw;

// The token of the new lease, or nothing where somebody holds the lock.
const redisq::script acquire(R"(
    if redis.call('EXISTS', KEYS[1]) == 1 then return nil end
    local token = redis.call('INCR', KEYS[2])
    redis.call('SET', KEYS[1], token, 'PX', ARGV[1])
    return token
)");

const redisq::script release(R"(
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    return redis.call('DEL', KEYS[1])
)");

constexpr std::int64_t lease_ms = 10'000;

weir::task<std::int64_t> lock(redisq::client* redis) {
    using token = std::optional<std::int64_t>;
    while (true) {
        // Both keys have one tag, so that a cluster keeps them together.
        const token got = value_or_throw(co_await redis->run<token>(
            acquire, redisq::keys("{stock}:lock", "{stock}:tokens"), lease_ms));
        if (got) {
            co_return *got;
        }
        co_await weir::sleep_for(1ms);
    }
}

// Reads, thinks, writes: without the lock, two of them would lose a piece now and then.
weir::task<> take_a_piece(redisq::client* redis) {
    const std::int64_t token = co_await lock(redis);
    const int stock = value_or_throw(co_await redis->command<int>("GET", "stock"));
    co_await weir::yield();
    value_or_throw(co_await redis->command<void>("SET", "stock", stock - 1));
    const int given =
        value_or_throw(co_await redis->run<int>(release, redisq::keys("{stock}:lock"), token));
    if (given != 1) {
        std::puts("the lease had ended before the work");
    }
}

weir::task<> take_all(weir::scope& workers, redisq::client* redis) {
    for (int worker = 0; worker < 20; ++worker) {
        workers.spawn(take_a_piece, redis);
    }
    co_return;
}

weir::task<> main_task(const char* url) {
    redisq::client redis(url);
    value_or_throw(co_await redis.command<void>("SET", "stock", 20));
    co_await weir::with_scope(take_all, &redis);
    const int left = value_or_throw(co_await redis.command<int>("GET", "stock"));
    std::printf("20 workers took one of 20 pieces each: %d left\n", left);
    if (left != 0) {
        throw std::runtime_error("the lock was held twice");
    }
    co_await redis.close();
}

int main(int argc, char** argv) { return example::run_with_url(argc, argv, main_task); }
