// Channels and patterns: a subscriber has a connection of its own, and subscribes again by itself
// when that was lost. Its buffer is bounded: here a slow consumer would make the server wait.
//
// usage: example_redis_pub_sub [URL]    without one, a private redis-server is started
#include <cstdio>
#include <string>
#include <weir/redisq.hpp>
#include <weir/runtime.hpp>

#include "redis_main.hpp"

namespace redisq = weir::redisq;
using redisq::value_or_throw;

// Ends with the word "over".
weir::task<> listen(redisq::subscriber* news) {
    while (true) {
        const redisq::message heard = value_or_throw(co_await news->receive());
        if (heard.payload == "over") {
            break;
        }
        std::printf("%s%s%s: %s\n", heard.channel.c_str(), heard.pattern.empty() ? "" : " by ",
                    heard.pattern.c_str(), heard.payload.c_str());
    }
}

weir::task<> publish(redisq::client* redis) {
    for (int goal = 1; goal <= 3; ++goal) {
        const std::string score = std::to_string(goal) + ":0";
        const int reached =
            value_or_throw(co_await redis->command<int>("PUBLISH", "scores", score));
        std::printf("told %d\n", reached);
    }
    value_or_throw(co_await redis->command<int>("PUBLISH", "weather.north", "rain"));
    value_or_throw(co_await redis->command<int>("PUBLISH", "scores", "over"));
}

weir::task<> main_task(const char* url) {
    redisq::client redis(url);
    redisq::subscriber news(url);
    // Both end when the server has confirmed, so nothing is published too early.
    value_or_throw(co_await news.subscribe("scores"));
    value_or_throw(co_await news.subscribe_patterns("weather.*"));
    co_await weir::when_all(listen(&news), publish(&redis));
    news.close();
    co_await redis.close();
}

int main(int argc, char** argv) { return example::run_with_url(argc, argv, main_task); }
