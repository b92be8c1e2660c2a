// Many commands in one go. A pipeline's commands leave together and come back as one result, in
// order. Commands of tasks that run at the same time travel together without being asked to.
//
// usage: example_redis_pipeline [URL]    without one, a private redis-server is started
#include <cstdio>
#include <string>
#include <unordered_map>
#include <weir/redisq.hpp>
#include <weir/runtime.hpp>

#include "redis_main.hpp"

namespace redisq = weir::redisq;
using redisq::value_or_throw;

// One round trip. An error reply would be one of the replies: get() tells each.
weir::task<> count_visits(redisq::client* redis) {
    redisq::pipeline visits;
    visits.add("DEL", "visits", "pages");
    for (int visitor = 0; visitor < 100; ++visitor) {
        visits.add("INCR", "visits");
        visits.add("HINCRBY", "pages", "/page/" + std::to_string(visitor % 10), 1);
    }
    visits.add("GET", "visits");
    visits.add("HGETALL", "pages");
    const redisq::replies answers = value_or_throw(co_await redis->execute(visits));

    const std::size_t count = answers.size();  // one for each command
    const int total = value_or_throw(answers.get<int>(count - 2));
    using pages = std::unordered_map<std::string, int>;
    const pages by_page = value_or_throw(answers.get<pages>(count - 1));
    std::printf("%zu commands at once: %d visits of %zu pages\n", count, total, by_page.size());
}

weir::task<> visit(redisq::client* redis) {
    value_or_throw(co_await redis->command<int>("INCR", "visits"));
}

// What all of these give in one tick of the loop leaves in one send.
weir::task<> visit_at_once(weir::scope& visitors, redisq::client* redis) {
    for (int visitor = 0; visitor < 1'000; ++visitor) {
        visitors.spawn(visit, redis);
    }
    co_return;
}

weir::task<> main_task(const char* url) {
    redisq::client redis(url);
    co_await count_visits(&redis);
    co_await weir::with_scope(visit_at_once, &redis);
    const int total = value_or_throw(co_await redis.command<int>("GET", "visits"));
    std::printf("1,000 tasks on one connection: %d visits\n", total);
    co_await redis.close();
}

int main(int argc, char** argv) { return example::run_with_url(argc, argv, main_task); }
