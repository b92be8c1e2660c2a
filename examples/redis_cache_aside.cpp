// A cache beside a slow source: look into Redis first, else load and store for a minute. A cache
// that cannot be reached costs time and breaks nothing.
//
// usage: example_redis_cache_aside [URL]    without one, a private redis-server is started
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <weir/redisq.hpp>
#include <weir/runtime.hpp>

#include "redis_main.hpp"

namespace redisq = weir::redisq;
using namespace std::chrono_literals;

int loads = 0;

weir::task<std::string> load(int user) {
    ++loads;
    co_await weir::sleep_for(2ms);  // a database would stand here
    co_return "user " + std::to_string(user);
}

weir::task<std::string> cached_user(redisq::client* cache, int user) {
    const std::string key = "user:" + std::to_string(user);
    // A lookup may run twice, so it is repeated where the connection was lost; not for long.
    const auto quickly = redisq::idempotent.within(100ms);
    using text = std::optional<std::string>;
    const redisq::result<text> found = co_await cache->command<text>(quickly, "GET", key);
    if (found && *found) {
        co_return **found;
    }
    std::string fresh = co_await load(user);
    const redisq::result<void> stored =
        co_await cache->command<void>(quickly, "SET", key, fresh, "EX", 60);
    if (!stored) {
        std::fprintf(stderr, "not cached: %s\n", stored.error().message().c_str());
    }
    co_return fresh;
}

weir::task<> main_task(const char* url) {
    redisq::client cache(url);
    redisq::value_or_throw(co_await cache.connect());
    for (int round = 0; round < 3; ++round) {
        const int before = loads;
        for (int user = 0; user < 10; ++user) {
            const std::string name = co_await cached_user(&cache, user);
            if (name != "user " + std::to_string(user)) {
                throw std::runtime_error("the cache holds '" + name + "'");
            }
        }
        std::printf("round %d: 10 users, %d loaded\n", round + 1, loads - before);
    }
    co_await cache.close();
}

int main(int argc, char** argv) { return example::run_with_url(argc, argv, main_task); }
