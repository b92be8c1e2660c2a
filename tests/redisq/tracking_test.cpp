#include <gtest/gtest.h>

#include <optional>
#include <string>

#include <weir/redisq/tracking.hpp>

#include "support/client_test.hpp"

namespace weir::redisq {
namespace {

using test::array_of;
using test::bulk;

void allow_tracking(test::fake_redis& server) {
    server.answer = [&server](const test::words& words) {
        return words[0] == "CLIENT" ? std::string("+OK\r\n") : server.usual(words);
    };
    server.data["a"] = "1";
    server.data["b"] = "2";
}

task<std::string> value_of(tracked_cache& cache, std::string key) {
    const auto value = co_await cache.get(key);
    co_return value ? value->value_or("(none)") : value.error().message();
}

task<> values_are_asked_for_once(test::fake_redis& server, client& redis) {
    allow_tracking(server);
    tracked_cache cache(redis, 10);
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(co_await value_of(cache, "c"), "(none)");
    EXPECT_EQ(co_await value_of(cache, "c"), "(none)");
    EXPECT_EQ(cache.hits(), 2U);
    EXPECT_EQ(server.log.size(), 3U);
    EXPECT_EQ(server.log[0], test::words({"CLIENT", "TRACKING", "ON"}));
}

TEST(TrackingTest, ValuesAreAskedForOnce) { test::run_with_client(&values_are_asked_for_once); }

task<> changed_values_are_forgotten(test::fake_redis& server, client& redis) {
    allow_tracking(server);
    EXPECT_TRUE(co_await redis.connect());
    tracked_cache cache(redis, 10);  // of a client that is connected already
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(co_await value_of(cache, "b"), "2");
    server.data["a"] = "new";
    server.say(array_of({bulk("invalidate"), array_of({bulk("a"), bulk("x")})}, '>'));
    co_await test::settle();
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_EQ(co_await value_of(cache, "a"), "new");
    EXPECT_EQ(cache.invalidations(), 1U);
    server.say(array_of({bulk("invalidate"), "_\r\n"}, '>'));
    co_await test::settle();
    EXPECT_EQ(cache.size(), 0U) << "FLUSHALL";
}

TEST(TrackingTest, ChangedValuesAreForgotten) {
    test::run_with_client(&changed_values_are_forgotten);
}

task<> a_change_under_way_is_not_kept(test::fake_redis& server, client& redis) {
    allow_tracking(server);
    tracked_cache cache(redis, 10);
    EXPECT_TRUE(co_await redis.connect());
    server.hold(true);
    scope s;
    std::string seen;
    const auto read = [](tracked_cache& from, std::string& out) -> task<> {
        out = co_await value_of(from, "a");
    };
    s.spawn(read(cache, seen));
    co_await test::settle();
    server.hold(false);
    server.say(array_of({bulk("invalidate"), array_of({bulk("a")})}, '>'));
    co_await s.join();
    EXPECT_EQ(seen, "1");
    EXPECT_EQ(cache.size(), 0U);
}

TEST(TrackingTest, AChangeUnderWayIsNotKept) {
    test::run_with_client(&a_change_under_way_is_not_kept);
}

task<> a_lost_connection_forgets_all(test::fake_redis& server, client& redis) {
    allow_tracking(server);
    tracked_cache cache(redis, 10);
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    server.drop();
    co_await test::settle();
    EXPECT_EQ(cache.size(), 0U);
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(server.log[2], test::words({"CLIENT", "TRACKING", "ON"}));
}

TEST(TrackingTest, ALostConnectionForgetsAll) {
    test::run_with_client(&a_lost_connection_forgets_all);
}

// Without announcements a value that is kept would be kept for ever.
task<> without_announcements_nothing_is_kept(test::fake_redis& server, client& redis) {
    server.data["a"] = "1";
    server.answer = [&server](const test::words& words) {
        return words[0] == "CLIENT" ? std::string("-NOPERM no permissions\r\n")
                                    : server.usual(words);
    };
    EXPECT_TRUE(co_await redis.connect());
    tracked_cache cache(redis, 10);  // of a client that is connected already
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    server.data["a"] = "new";
    EXPECT_EQ(co_await value_of(cache, "a"), "new");
    EXPECT_EQ(cache.size(), 0U);
    EXPECT_TRUE(cache.refusal() && *cache.refusal() == errc::no_permission);
    EXPECT_EQ(server.log.size(), 4U) << "PING, TRACKING once, GET twice";

    // The next connection is asked anew.
    allow_tracking(server);
    server.drop();
    co_await test::settle();
    EXPECT_FALSE(cache.refusal());
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(cache.hits(), 1U);
}

TEST(TrackingTest, WithoutAnnouncementsNothingIsKept) {
    test::run_with_client(&without_announcements_nothing_is_kept);
}

task<> a_refusal_holds_up_no_command(test::fake_redis& server, client& redis) {
    server.data["a"] = "1";
    tracked_cache cache(redis, 10);
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_TRUE(cache.refusal() && *cache.refusal() == errc::server_error);
    server.drop();
    co_await test::settle();
    EXPECT_EQ(co_await redis.command<std::string>("GET", "a"), "1");
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(cache.size(), 0U);
}

TEST(TrackingTest, ARefusalHoldsUpNoCommand) {
    test::run_with_client(&a_refusal_holds_up_no_command);
}

task<> the_least_used_goes(test::fake_redis& server, client& redis) {
    allow_tracking(server);
    tracked_cache cache(redis, 2);
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(co_await value_of(cache, "b"), "2");
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(co_await value_of(cache, "c"), "(none)");
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(cache.hits(), 2U);
    EXPECT_EQ(co_await value_of(cache, "b"), "2");
    EXPECT_EQ(cache.misses(), 4U);
}

TEST(TrackingTest, TheLeastUsedGoes) { test::run_with_client(&the_least_used_goes); }

task<> old_servers_are_always_asked(test::fake_redis& server, client& redis) {
    server.refuse_hello();
    server.data["a"] = "1";
    tracked_cache cache(redis, 2);
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(co_await value_of(cache, "a"), "1");
    EXPECT_EQ(cache.hits(), 0U);
}

TEST(TrackingTest, OldServersAreAlwaysAsked) {
    test::run_with_client(&old_servers_are_always_asked);
}

}  // namespace
}  // namespace weir::redisq
