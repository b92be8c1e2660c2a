// The client beside a real server: what a scripted one cannot show.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/redisq/client.hpp>
#include <weir/redisq/scan.hpp>
#include <weir/redisq/subscriber.hpp>
#include <weir/redisq/tracking.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/redis_server.hpp"
#include "support/streams.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

using client_body = task<> (*)(test::redis_server&, client&);

task<> with_client(test::redis_server& server, client_body body) {
    client redis(server.url());
    co_await body(server, redis);
    co_await redis.close();
}

void run_with_redis(client_body body) {
    test::redis_server server;
    weir::run(with_client(server, body));
}

task<> watched_keys_guard_a_transaction(test::redis_server&, client& redis) {
    EXPECT_TRUE(co_await redis.command<void>("SET", "stock", 5));
    for (const bool disturbed : {true, false}) {
        result<exclusive_client> own = co_await redis.exclusive();
        EXPECT_TRUE(own);
        EXPECT_TRUE(co_await own->command<void>("WATCH", "stock"));
        const auto before = co_await own->command<int>("GET", "stock");
        if (disturbed) {
            EXPECT_EQ(co_await redis.command<int>("DECR", "stock"), 4);
        }
        transaction sale;
        sale.add("SET", "stock", before.value_or(0) - 1).add("GET", "stock");
        const result<replies> sold = co_await own->execute(sale);
        if (disturbed) {
            EXPECT_EQ(sold.error(), errc::watch_failed);
        } else {
            EXPECT_EQ(sold->get<int>(1), 3);
        }
    }
}

TEST(ClientIntegrationTest, WatchedKeysGuardATransaction) {
    WEIR_NEEDS_REDIS();
    run_with_redis(&watched_keys_guard_a_transaction);
}

task<> scripts_survive_a_flush(test::redis_server& server, client& redis) {
    static const script add("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    EXPECT_EQ(co_await redis.run<int>(add, keys("n"), 2), 2);
    server.command({"SCRIPT", "FLUSH"});
    EXPECT_EQ(co_await redis.run<int>(add, keys("n"), 3), 5);
    EXPECT_EQ(server.command({"GET", "n"}), "5");
}

TEST(ClientIntegrationTest, ScriptsSurviveAFlush) {
    WEIR_NEEDS_REDIS();
    run_with_redis(&scripts_survive_a_flush);
}

task<> push_later(client& redis) {
    co_await sleep_for(20ms);
    EXPECT_TRUE(co_await redis.command<int>("RPUSH", "jobs", "a"));
}

task<> pop_for_ever(client& redis) {
    const auto popped = co_await redis.blocking<std::vector<std::string>>("BLPOP", "jobs", 0);
    EXPECT_EQ(popped.error().code(), std::errc::operation_canceled);
}

task<> a_stopped_pop_takes_nothing(test::redis_server& server, client& redis) {
    scope s;
    s.spawn(push_later(redis));
    const auto popped = co_await redis.blocking<std::vector<std::string>>("BLPOP", "jobs", 0);
    EXPECT_EQ(popped->at(1), "a");
    stop_source source;
    s.spawn(with_stop(source, pop_for_ever(redis)));
    co_await sleep_for(20ms);
    source.request_stop();
    co_await s.join();
    EXPECT_TRUE(test::becomes_true([&server] {
        return server.command({"INFO", "clients"}).find("blocked_clients:0") != std::string::npos;
    }));
    EXPECT_EQ(co_await redis.command<int>("RPUSH", "jobs", "b"), 1) << "nobody took it";
}

TEST(ClientIntegrationTest, AStoppedPopTakesNothing) {
    WEIR_NEEDS_REDIS();
    run_with_redis(&a_stopped_pop_takes_nothing);
}

task<> messages_and_invalidations_come(test::redis_server& server, client& redis) {
    subscriber news(server.url());
    EXPECT_TRUE(co_await news.subscribe("a"));
    EXPECT_TRUE(co_await news.subscribe_patterns("b*"));
    EXPECT_TRUE(co_await news.subscribe_sharded(std::vector<std::string>(1, "c")));
    server.command({"PUBLISH", "a", "1"});
    server.command({"PUBLISH", "bcd", "2"});
    server.command({"SPUBLISH", "c", "3"});
    std::string all;
    for (int count = 0; count < 3; ++count) {
        const auto next = co_await with_timeout(10s, news.receive());
        all += next->channel + next->payload + (next->is_sharded ? "s" : "");
    }
    EXPECT_EQ(all, "a1bcd2c3s");

    tracked_cache cache(redis, 10);
    server.command({"SET", "k", "old"});
    const auto first = co_await cache.get("k");
    EXPECT_EQ(first->value(), "old");
    EXPECT_EQ(cache.size(), 1U);
    server.command({"SET", "k", "new"});
    for (int tries = 0; cache.size() != 0 && tries < 1'000; ++tries) {
        co_await sleep_for(5ms);
    }
    const auto second = co_await cache.get("k");
    EXPECT_EQ(second->value(), "new");
}

TEST(ClientIntegrationTest, MessagesAndInvalidationsCome) {
    WEIR_NEEDS_REDIS();
    run_with_redis(&messages_and_invalidations_come);
}

task<> big_things_come_in_parts(test::redis_server&, client& redis) {
    const std::string text = test::pattern(3'000'000);
    EXPECT_TRUE(co_await redis.command<void>("SET", "page", text));
    reply_stream page = redis.stream("GET", "page");
    std::string all;
    while (!page.done()) {
        const auto part = co_await page.next();
        EXPECT_TRUE(part);
        all += test::text_of(part->bytes);
    }
    EXPECT_EQ(all, text);
    pipeline fill;
    for (int index = 0; index < 1'000; ++index) {
        fill.add("HSET", "h", "field" + std::to_string(index), index);
    }
    EXPECT_TRUE(co_await redis.execute(fill));
    auto fields = scan_hash(redis, "h");
    int sum = 0;
    std::size_t count = 0;
    for (auto next = co_await fields.next(); next && *next; next = co_await fields.next()) {
        sum += std::stoi((*next)->second);
        ++count;
    }
    EXPECT_EQ(count, 1'000U);
    EXPECT_EQ(sum, 499'500);
}

TEST(ClientIntegrationTest, BigThingsComeInParts) {
    WEIR_NEEDS_REDIS();
    run_with_redis(&big_things_come_in_parts);
}

}  // namespace
}  // namespace weir::redisq
