// What a client does when its connection is lost, and when there is none.
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "support/allocations.hpp"
#include "support/client_test.hpp"
#include "support/peers.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::fake_redis;

task<> echo(client& redis, std::string text, call_options options,
            std::optional<result<std::string>>& out) {
    out.emplace(co_await redis.command<std::string>(options, "ECHO", text));
}

task<> sent_commands_fail_unless_they_may_run_twice(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.hold(true);
    std::optional<result<std::string>> once;
    std::optional<result<std::string>> twice;
    scope s;
    s.spawn(echo(redis, "once", call_options(), once));
    s.spawn(echo(redis, "twice", idempotent, twice));
    co_await test::settle();
    server.forget_held();
    server.drop();
    co_await test::settle();
    EXPECT_TRUE(once && once->error() == errc::connection_lost);
    EXPECT_FALSE(twice);
    server.hold(false);
    co_await s.join();
    EXPECT_EQ(twice.value(), "twice");
    EXPECT_EQ(server.accepted, 2);
}

TEST(ClientReconnectTest, SentCommandsFailUnlessTheyMayRunTwice) {
    test::run_with_client(&sent_commands_fail_unless_they_may_run_twice);
}

task<> unsent_commands_wait_for_the_server() {
    fake_redis server;
    server.go_down();
    client redis(server.options());
    std::optional<result<std::string>> first;
    std::optional<result<std::string>> second;
    scope callers;
    callers.spawn(echo(redis, "first", call_options(), first));
    callers.spawn(echo(redis, "second", call_options(), second));
    co_await sleep_for(5s);
    EXPECT_FALSE(first || second);
    EXPECT_GE(redis.core().counters().attempts, 10U);
    EXPECT_LE(redis.core().counters().attempts, 200U) << "no busy loop meanwhile";
    server.go_up();
    const time_point back = event_loop::current()->now();
    scope s;
    s.spawn(server.run());
    co_await callers.join();
    EXPECT_LE(event_loop::current()->now() - back, redis.options().reconnect.longest);
    EXPECT_EQ(first.value(), "first");
    EXPECT_EQ(second.value(), "second");
    EXPECT_EQ(server.log[0], test::words({"ECHO", "first"}));
    server.stop();
    co_await s.join();
}

TEST(ClientReconnectTest, UnsentCommandsWaitForTheServer) {
    test::run_test(unsent_commands_wait_for_the_server());
}

task<> without_a_server_the_cause_is_told() {
    client_options options("unix:///nowhere/redis.sock");
    client redis(options);
    const time_point start = event_loop::current()->now();
    const auto answer = co_await redis.command<int>("INCR", "a");
    EXPECT_EQ(answer.error(), errc::connect_failed);
    EXPECT_EQ(answer.error().message(),
              "unix socket /nowhere/redis.sock: No such file or directory");
    EXPECT_EQ(event_loop::current()->now() - start, options.command_timeout);
    const auto hasty = co_await redis.command<int>(call_options().within(1s), "INCR", "a");
    EXPECT_EQ(hasty.error(), errc::connect_failed);
    co_await redis.close();
    EXPECT_EQ((co_await redis.command<int>("PING")).error(), errc::closed);
}

TEST(ClientReconnectTest, WithoutAServerTheCauseIsTold) {
    test::run_test(without_a_server_the_cause_is_told());
}

task<> refused_passwords_are_told_at_once(fake_redis& server, client& redis) {
    server.answer = [](const test::words&) {
        return "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    };
    const time_point start = event_loop::current()->now();
    EXPECT_EQ((co_await redis.command<int>("PING")).error(), errc::wrong_password);
    EXPECT_EQ(event_loop::current()->now(), start);
    EXPECT_EQ((co_await redis.command<int>("PING")).error(), errc::wrong_password);
    EXPECT_GT(event_loop::current()->now(), start) << "attempts are spaced";
    server.answer = [&server](const test::words& words) { return server.usual(words); };
    EXPECT_TRUE(co_await redis.connect());
}

TEST(ClientReconnectTest, RefusedPasswordsAreToldAtOnce) {
    test::run_with_client(&refused_passwords_are_told_at_once);
}

// Others leave, and then there is room.
task<> a_full_server_is_tried_again(fake_redis& server, client& redis) {
    server.answer = [](const test::words&) { return "-ERR max number of clients reached\r\n"; };
    const auto hasty = co_await redis.command<std::string>(call_options().within(1s), "ECHO", "x");
    EXPECT_EQ(hasty.error(), errc::connect_failed);
    EXPECT_TRUE(hasty.error().message().ends_with("ERR max number of clients reached"))
        << hasty.error().message();
    std::optional<result<std::string>> answer;
    scope s;
    s.spawn(echo(redis, "text", call_options(), answer));
    co_await sleep_for(2s);
    EXPECT_FALSE(answer);
    EXPECT_LE(redis.core().counters().attempts, 120U) << "no busy loop meanwhile";
    server.answer = [&server](const test::words& words) { return server.usual(words); };
    co_await s.join();
    EXPECT_EQ(answer.value(), "text");
}

TEST(ClientReconnectTest, AFullServerIsTriedAgain) {
    test::run_with_client(&a_full_server_is_tried_again);
}

task<> a_deaf_server_is_given_up(fake_redis& server, client& redis) {
    server.deaf = true;
    const auto answer = co_await redis.command<int>("PING");
    EXPECT_EQ(answer.error(), errc::connect_failed);
    EXPECT_TRUE(answer.error().message().ends_with("no connection in time"))
        << answer.error().message();
    EXPECT_GE(server.accepted, 2);
}

TEST(ClientReconnectTest, ADeafServerIsGivenUp) {
    test::run_with_client(&a_deaf_server_is_given_up);
}

// A client that is destroyed at any moment of its connecting leaves nothing behind.
task<> destroy_after(int turns) {
    fake_redis server;
    scope s;
    s.spawn(server.run());
    std::optional<result<std::string>> answer;
    {
        client redis(server.options());
        s.spawn(echo(redis, "text", call_options(), answer));
        co_await test::turns(turns);
    }
    co_await test::settle();
    EXPECT_TRUE(answer);
    server.stop();
    co_await s.join();
}

TEST(ClientReconnectTest, AClientMayGoAtAnyMoment) {
    for (int turns = 1; turns < 12; ++turns) {
        test::run_test(destroy_after(turns));
    }
}

// The client is what main leaves last.
task<> leave_while_connecting(std::string path) {
    client redis(client_options("unix://" + path));
    scope s;
    std::optional<result<std::string>> answer;
    stop_source source;
    s.spawn(with_stop(source, echo(redis, "never", call_options(), answer)));
    co_await test::turns(2);
    source.request_stop();
    co_await s.join();
}

TEST(ClientReconnectTest, ALoopEndsWhileAClientConnects) {
    test::run_test(leave_while_connecting("/nowhere/redis.sock"));
}

struct tally {
    int right = 0;
    int canceled = 0;
    int lost = 0;
    int wrong = 0;
};

task<> call_often(client& redis, std::string name, int calls, tally& count,
                  duration pace = duration::zero()) {
    for (int call = 0; call < calls; ++call) {
        if (pace != duration::zero()) {
            co_await sleep_for(pace);
        }
        const std::string text = name + "/" + std::to_string(call);
        const auto answer = co_await redis.command<std::string>("ECHO", text);
        if (answer) {
            ++(*answer == text ? count.right : count.wrong);
        } else if (answer.error().code() == std::errc::operation_canceled) {
            ++count.canceled;
            co_return;
        } else {
            EXPECT_EQ(answer.error(), errc::connection_lost) << answer.error().message();
            ++count.lost;
        }
    }
}

// Under load, callers are stopped at random moments; nobody gets another's reply.
task<> a_thousand_cancels(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    tally count;
    std::mt19937 chance(11);
    scope s;
    s.spawn(call_often(redis, "steady", 2'000, count));
    for (int round = 0; round < 1'000; ++round) {
        stop_source source;
        scope inner;
        inner.spawn(call_often(redis, "other" + std::to_string(round), 3, count));
        inner.spawn(
            with_stop(source, call_often(redis, "one" + std::to_string(round), 1'000'000, count)));
        co_await test::turns(static_cast<int>(chance() % 4));
        source.request_stop();
        co_await inner.join();
    }
    co_await s.join();
    EXPECT_EQ(count.wrong, 0);
    EXPECT_EQ(count.lost, 0);
    EXPECT_EQ(count.canceled, 1'000);
    EXPECT_GE(count.right, 5'000);
    EXPECT_EQ(server.accepted, 1);
}

TEST(ClientReconnectTest, AThousandCancelsMixNothingUp) {
    test::run_with_client(&a_thousand_cancels);
}

// The connection is lost again and again under load: every call ends, none with another's reply.
task<> a_hundred_losses(fake_redis& server, client& redis) {
    tally count;
    scope s;
    for (int caller = 0; caller < 10; ++caller) {
        s.spawn(call_often(redis, std::to_string(caller), 2'000, count, 1ms));
    }
    std::mt19937 chance(5);
    for (int round = 0; round < 100; ++round) {
        co_await test::turns(static_cast<int>(chance() % 20));
        server.drop();
        co_await sleep_for(std::chrono::milliseconds(chance() % 60));
    }
    co_await s.join();
    EXPECT_EQ(count.wrong, 0);
    EXPECT_EQ(count.canceled, 0);
    EXPECT_EQ(count.right + count.lost, 20'000);
    EXPECT_GE(server.accepted, 10);
}

TEST(ClientReconnectTest, AHundredLossesLoseNoCaller) { test::run_with_client(&a_hundred_losses); }

task<> without_memory_to_connect_the_call_fails() {
    client redis("unix:///nowhere/redis.sock");
    auto ping = redis.command<std::string>("PING");
    const test::unrecycled_frames fresh;
    const test::allocation_failure failure(0);
    const result<std::string> answer = co_await ping;
    EXPECT_TRUE(failure.triggered());
    EXPECT_EQ(answer.error().code(), std::errc::not_enough_memory);
}

TEST(ClientReconnectTest, WithoutMemoryToConnectTheCallFails) {
    test::run_test(without_memory_to_connect_the_call_fails());
}

task<> a_wanted_connection_comes_when_there_is_memory(fake_redis& /*server*/, client& redis) {
    {
        const test::unrecycled_frames fresh;
        const test::allocation_failure failure(0);
        redis.core().keep_connected(true);
        EXPECT_TRUE(failure.triggered());
    }
    EXPECT_FALSE(redis.is_connected());
    co_await sleep_for(10s);
    EXPECT_TRUE(redis.is_connected());
}

TEST(ClientReconnectTest, AWantedConnectionComesWhenThereIsMemory) {
    test::run_with_client(&a_wanted_connection_comes_when_there_is_memory);
}

}  // namespace
}  // namespace weir::redisq
