#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/redisq/client.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/client_test.hpp"
#include "support/run_test.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::fake_redis;

void run(test::client_test_body body) { test::run_with_client(body); }

task<> replies_become_values(fake_redis& server, client& redis) {
    EXPECT_FALSE(redis.is_connected());
    EXPECT_TRUE(co_await redis.command<void>("SET", "a", "1"));
    EXPECT_TRUE(redis.is_connected());
    EXPECT_EQ(redis.protocol(), 3);
    EXPECT_EQ(co_await redis.command<std::string>("GET", "a"), "1");
    EXPECT_EQ(co_await redis.command<std::optional<std::string>>("GET", "b"), std::nullopt);
    EXPECT_EQ(co_await redis.command<std::int64_t>("INCR", "a"), 2);
    EXPECT_EQ(server.accepted, 1);
}

TEST(ClientTest, RepliesBecomeValues) { run(&replies_become_values); }

task<> errors_are_typed(fake_redis& server, client& redis) {
    const auto unknown = co_await redis.command<int>("FLY");
    EXPECT_EQ(unknown.error(), errc::server_error);
    EXPECT_EQ(unknown.error().message(), "ERR unknown command 'FLY'");
    const auto text = co_await redis.command<int>("ECHO", "seven");
    EXPECT_EQ(text.error(), errc::wrong_reply_type);
    server.answer = [](const test::words&) { return "-LOADING Redis is loading the dataset\r\n"; };
    const auto loading = co_await redis.command<int>("GET", "a");
    EXPECT_EQ(loading.error(), errc::loading);
    EXPECT_TRUE(redis.is_connected()) << "an error reply is no reason to part";
}

TEST(ClientTest, ErrorsAreTyped) { run(&errors_are_typed); }

task<> echo_into(client& redis, std::string text, std::vector<std::string>& log) {
    const auto answered = co_await redis.command<std::string>("ECHO", text);
    EXPECT_EQ(answered, text) << answered.error().message();
    log.push_back(text);
}

task<> commands_of_a_tick_leave_in_one_send(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    std::vector<std::string> log;
    const int before = server.receives;
    scope s;
    for (int caller = 0; caller < 50; ++caller) {
        s.spawn(echo_into(redis, std::to_string(caller), log));
    }
    co_await s.join();
    EXPECT_EQ(log.size(), 50U);
    EXPECT_EQ(server.receives, before + 1);
    EXPECT_TRUE(std::is_sorted(
        server.log.begin() + 1, server.log.end(),
        [](const auto& a, const auto& b) { return std::stoi(a[1]) < std::stoi(b[1]); }))
        << "the order of the callers";
}

TEST(ClientTest, CommandsOfATickLeaveInOneSend) { run(&commands_of_a_tick_leave_in_one_send); }

task<> get_value(client& redis, std::string key, std::optional<result<std::string>>& out,
                 call_options options = call_options()) {
    out.emplace(co_await redis.command<std::string>(options, "ECHO", key));
}

task<> a_stopped_caller_leaves_a_tombstone(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.hold(true);
    std::optional<result<std::string>> first;
    std::optional<result<std::string>> second;
    std::optional<result<std::string>> third;
    stop_source source;
    scope s;
    s.spawn(get_value(redis, "one", first));
    s.spawn(with_stop(source, get_value(redis, "two", second)));
    s.spawn(get_value(redis, "three", third));
    co_await test::settle();
    EXPECT_FALSE(first || second || third);
    source.request_stop();
    co_await test::settle();
    EXPECT_TRUE(second && second->error().code() == std::errc::operation_canceled);
    server.hold(false);
    co_await s.join();
    EXPECT_EQ(first.value(), "one");
    EXPECT_EQ(third.value(), "three") << "the reply of the one who left is nobody's";
}

TEST(ClientTest, AStoppedCallerLeavesATombstone) { run(&a_stopped_caller_leaves_a_tombstone); }

task<> a_call_ends_when_its_time_is_up(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.hold(true);
    const time_point start = event_loop::current()->now();
    std::optional<result<std::string>> patient;
    scope s;
    s.spawn(get_value(redis, "patient", patient));
    const auto hasty =
        co_await redis.command<std::string>(call_options().within(50ms), "ECHO", "hasty");
    EXPECT_EQ(hasty.error(), errc::timed_out);
    EXPECT_EQ(event_loop::current()->now() - start, 50ms);
    EXPECT_FALSE(patient);
    server.hold(false);
    co_await s.join();
    EXPECT_EQ(patient.value(), "patient");
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "next"), "next");
}

TEST(ClientTest, ACallEndsWhenItsTimeIsUp) { run(&a_call_ends_when_its_time_is_up); }

task<> a_silent_server_is_left(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.hold(true);
    const time_point start = event_loop::current()->now();
    const auto silent = co_await redis.command<std::string>("ECHO", "anybody");
    EXPECT_EQ(silent.error(), errc::timed_out);
    EXPECT_EQ(event_loop::current()->now() - start, redis.options().command_timeout);
    co_await test::settle();
    EXPECT_FALSE(redis.is_connected()) << "it may be gone without a word";
    server.hold(false);
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "again"), "again");
    EXPECT_EQ(server.accepted, 2);
}

TEST(ClientTest, ASilentServerIsLeft) { run(&a_silent_server_is_left); }

task<> broken_protocol_closes(fake_redis& server, client& redis) {
    server.answer = [&server](const test::words& words) {
        return words[0] == "HELLO" ? server.usual(words) : std::string("+fine\r\n@what\r\n");
    };
    std::optional<result<std::string>> first;
    std::optional<result<std::string>> second;
    scope s;
    s.spawn(get_value(redis, "one", first));
    s.spawn(get_value(redis, "two", second));
    co_await s.join();
    EXPECT_EQ(first.value(), "fine");
    EXPECT_EQ(second->error(), errc::protocol_error);
    EXPECT_TRUE(second->error().message().starts_with("protocol error at byte "))
        << second->error().message();
    server.answer = [&server](const test::words& words) { return server.usual(words); };
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "again"), "again");
}

TEST(ClientTest, ABrokenProtocolClosesTheConnection) { run(&broken_protocol_closes); }

task<> a_reply_that_nobody_asked_for_closes(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.say("+hello?\r\n");
    co_await test::settle();
    EXPECT_FALSE(redis.is_connected());
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "again"), "again");
}

TEST(ClientTest, AReplyThatNobodyAskedForClosesTheConnection) {
    run(&a_reply_that_nobody_asked_for_closes);
}

task<> pushes_pass_by(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.hold(true);
    std::optional<result<std::string>> answer;
    scope s;
    s.spawn(get_value(redis, "me", answer));
    co_await test::settle();
    server.say(">2\r\n+invalidate\r\n*1\r\n+key\r\n");
    co_await test::settle();
    EXPECT_FALSE(answer) << "a push is no reply";
    server.hold(false);
    co_await s.join();
    EXPECT_EQ(answer.value(), "me");
}

TEST(ClientTest, PushesPassBy) { run(&pushes_pass_by); }

task<> an_old_server_speaks_resp2(fake_redis& server, client& redis) {
    server.refuse_hello();
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "old"), "old");
    EXPECT_EQ(redis.protocol(), 2);
}

TEST(ClientTest, AnOldServerSpeaksResp2) { run(&an_old_server_speaks_resp2); }

task<> callers_wait_when_too_many_commands_are_pending() {
    fake_redis server;
    scope s;
    s.spawn(server.run());
    {
        client_options options = server.options();
        options.max_pending = 2;
        client redis(options);
        EXPECT_TRUE(co_await redis.connect());
        server.hold(true);
        std::vector<std::string> log;
        scope callers;
        for (int caller = 0; caller < 5; ++caller) {
            callers.spawn(echo_into(redis, std::to_string(caller), log));
        }
        co_await test::settle();
        EXPECT_EQ(server.log.size(), 1U + 2U) << "beside the PING";
        server.release(7);
        co_await test::settle();
        EXPECT_EQ(log, std::vector<std::string>({"0"}));
        EXPECT_EQ(server.log.size(), 1U + 3U) << "one came, one goes";
        server.hold(false);
        co_await callers.join();
        EXPECT_EQ(log, std::vector<std::string>({"0", "1", "2", "3", "4"}));
    }
    server.stop();
    co_await s.join();
}

TEST(ClientTest, CallersWaitWhenTooManyCommandsArePending) {
    test::run_test(callers_wait_when_too_many_commands_are_pending());
}

task<> close_waits_for_replies(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.hold(true);
    std::optional<result<std::string>> answer;
    test::ending end{};
    scope s;
    s.spawn(get_value(redis, "last", answer));
    co_await test::settle();
    s.spawn(test::observe(redis.close(), end));
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    const auto late = co_await redis.command<int>("PING");
    EXPECT_EQ(late.error(), errc::closed);
    server.hold(false);
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
    EXPECT_EQ(answer.value(), "last");
}

TEST(ClientTest, CloseWaitsForReplies) { run(&close_waits_for_replies); }

task<> destroying_fails_the_callers() {
    fake_redis server;
    scope s;
    s.spawn(server.run());
    std::optional<result<std::string>> queued;
    {
        client redis(server.options());
        EXPECT_TRUE(co_await redis.connect());
        server.hold(true);
        s.spawn(get_value(redis, "queued", queued));
        co_await test::settle();
    }
    co_await test::settle();
    EXPECT_TRUE(queued && queued->error() == errc::closed);
    std::optional<result<std::string>> waiting;
    {
        client redis(server.options());
        s.spawn(get_value(redis, "waiting", waiting));
        co_await yield();
        co_await yield();
    }
    co_await test::settle();
    EXPECT_TRUE(waiting && waiting->error() == errc::closed);
    server.stop();
    co_await s.join();
}

TEST(ClientTest, DestroyingFailsTheCallers) { test::run_test(destroying_fails_the_callers()); }

task<> a_stopped_task_sends_nothing(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    std::optional<result<std::string>> answer;
    stop_source source;
    source.request_stop();
    co_await with_stop(source, get_value(redis, "never", answer));
    EXPECT_EQ(answer->error().code(), std::errc::operation_canceled);
    EXPECT_EQ(server.log.size(), 1U);
}

TEST(ClientTest, AStoppedTaskSendsNothing) { run(&a_stopped_task_sends_nothing); }

// Warm, a command allocates nothing: neither its caller, nor queue, buffers, reply or wake-up.
task<> increment(client& redis, std::int64_t& sum) {
    const auto value = co_await redis.command<std::int64_t>("INCRBY", "counter", 12'345);
    sum += value.value_or(-1);
}

task<> warm_commands_allocate_nothing(fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.deaf = true;
    scope s;
    std::int64_t sum = 0;
    std::size_t allocations = 1;
    for (int round = 0; round < 3; ++round) {
        const test::allocation_counter counter;
        for (int caller = 0; caller < 10; ++caller) {
            s.spawn(increment(redis, sum));
        }
        co_await test::settle();
        for (int caller = 0; caller < 10; ++caller) {
            server.say(":1\r\n");
        }
        co_await test::settle();
        allocations = counter.allocations();
    }
    co_await s.join();
    EXPECT_EQ(allocations, 0U);
    EXPECT_EQ(sum, 30);
}

TEST(ClientTest, WarmCommandsAllocateNothing) { run(&warm_commands_allocate_nothing); }

task<> idle_connections_are_closed() {
    fake_redis server;
    scope s;
    s.spawn(server.run());
    {
        client_options options = server.options();
        options.idle_timeout = 1s;
        client redis(options);
        EXPECT_TRUE(co_await redis.connect());
        co_await sleep_for(900ms);
        EXPECT_TRUE(co_await redis.connect());
        co_await sleep_for(900ms);
        EXPECT_TRUE(redis.is_connected()) << "it was used meanwhile";
        co_await sleep_for(2s);
        EXPECT_FALSE(redis.is_connected());
        EXPECT_TRUE(co_await redis.connect());
        EXPECT_EQ(server.accepted, 2);
    }
    server.stop();
    co_await s.join();
}

TEST(ClientTest, IdleConnectionsAreClosed) { test::run_test(idle_connections_are_closed()); }

TEST(ClientTest, OptionsAreChecked) {
    const auto make = []() -> task<> {
        EXPECT_THROW(client("http://localhost"), std::invalid_argument);
        client_options options;
        options.max_pending = 0;
        EXPECT_THROW(client{options}, std::invalid_argument);
        co_return;
    };
    test::run_test(make());
}

}  // namespace
}  // namespace weir::redisq
