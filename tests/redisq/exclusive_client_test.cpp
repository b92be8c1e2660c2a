#include <gtest/gtest.h>

#include <optional>
#include <string>

#include <weir/redisq/exclusive_client.hpp>

#include "support/client_test.hpp"

namespace weir::redisq {
namespace {

task<> it_has_a_connection_that_the_next_one_gets(test::fake_redis& server, client& redis) {
    server.answer = [&server](const test::words& words) {
        return words[0] == "WATCH" ? "+OK\r\n" : server.usual(words);
    };
    EXPECT_TRUE(co_await redis.connect());
    EXPECT_EQ(server.accepted, 1);
    {
        result<exclusive_client> own = co_await redis.exclusive();
        EXPECT_TRUE(own);
        EXPECT_TRUE(co_await own->command<void>("WATCH", "key"));
        EXPECT_EQ(server.accepted, 2);
        result<exclusive_client> other = co_await redis.exclusive();
        EXPECT_EQ(server.accepted, 3);
    }
    co_await test::settle();
    EXPECT_EQ(server.log.back(), test::words({"UNWATCH"}));
    const result<exclusive_client> again = co_await redis.exclusive();
    EXPECT_TRUE(again);
    EXPECT_EQ(server.accepted, 3);
}

TEST(ExclusiveClientTest, ItHasAConnectionThatTheNextOneGets) {
    test::run_with_client(&it_has_a_connection_that_the_next_one_gets);
}

task<> a_lost_one_stays_lost(test::fake_redis& server, client& redis) {
    result<exclusive_client> own = co_await redis.exclusive();
    EXPECT_TRUE(own);
    server.drop();
    co_await test::settle();
    const auto after = co_await own->command<int>(idempotent, "INCR", "a");
    EXPECT_EQ(after.error(), errc::connection_lost) << "what it watched is not watched any more";
    const result<exclusive_client> fresh = co_await redis.exclusive();
    EXPECT_TRUE(fresh);
}

TEST(ExclusiveClientTest, ALostOneStaysLost) { test::run_with_client(&a_lost_one_stays_lost); }

task<> pop_into(client& redis, std::optional<result<std::string>>& out,
                call_options options = call_options()) {
    out.emplace(co_await redis.blocking<std::string>(options, "BLPOP", "jobs", 0));
}

task<> blocking_commands_hold_nobody_up(test::fake_redis& server, client& redis) {
    server.answer = [&server](const test::words& words) {
        return words[0] == "BLPOP" ? std::string() : server.usual(words);
    };
    std::optional<result<std::string>> popped;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, pop_into(redis, popped)));
    co_await test::settle();
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "meanwhile"), "meanwhile");
    co_await sleep_for(std::chrono::hours(1));
    EXPECT_FALSE(popped) << "no timeout of the client's";
    EXPECT_EQ(server.connected(), 2U);
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(popped->error().code(), std::errc::operation_canceled);
    co_await test::settle();
    EXPECT_EQ(server.connected(), 1U) << "so that the server hands nothing to nobody";
}

TEST(ExclusiveClientTest, BlockingCommandsHoldNobodyUp) {
    test::run_with_client(&blocking_commands_hold_nobody_up);
}

task<> blocking_connections_are_used_again(test::fake_redis& server, client& redis) {
    server.answer = [&server](const test::words& words) {
        return words[0] == "BLPOP" ? std::string("+job\r\n") : server.usual(words);
    };
    for (int round = 0; round < 3; ++round) {
        std::optional<result<std::string>> popped;
        co_await pop_into(redis, popped);
        EXPECT_EQ(popped.value(), "job");
    }
    EXPECT_EQ(server.accepted, 1);
}

TEST(ExclusiveClientTest, BlockingConnectionsAreUsedAgain) {
    test::run_with_client(&blocking_connections_are_used_again);
}

}  // namespace
}  // namespace weir::redisq
