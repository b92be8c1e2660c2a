#include <gtest/gtest.h>

#include <optional>
#include <string>

#include <weir/redisq/pipeline.hpp>

#include "support/allocations.hpp"
#include "support/client_test.hpp"

namespace weir::redisq {
namespace {

task<> commands_come_back_in_order(test::fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    pipeline commands;
    commands.add("SET", "a", 41).add("INCR", "a").add("FLY").add("GET", "b");
    EXPECT_EQ(commands.size(), 4U);
    const int receives = server.receives;
    const result<replies> answers = co_await redis.execute(commands);
    EXPECT_TRUE(answers);
    EXPECT_EQ(server.receives, receives + 1);
    EXPECT_EQ(answers->size(), 4U);
    EXPECT_EQ(answers->get<std::string>(0), "OK");
    EXPECT_EQ(answers->get<int>(1), 42);
    EXPECT_EQ(answers->get<int>(2).error(), errc::server_error);
    EXPECT_FALSE(answers->get<std::optional<int>>(3).value());
    EXPECT_EQ(answers->first_error()->message(), "ERR unknown command 'FLY'");
}

TEST(PipelineTest, CommandsComeBackInOrder) { test::run_with_client(&commands_come_back_in_order); }

task<> an_empty_one_ends_at_once(test::fake_redis& server, client& redis) {
    const pipeline nothing;
    const result<replies> answers = co_await redis.execute(nothing);
    EXPECT_TRUE(answers && answers->empty());
    EXPECT_EQ(server.accepted, 0);
}

TEST(PipelineTest, AnEmptyOneEndsAtOnce) { test::run_with_client(&an_empty_one_ends_at_once); }

task<> a_stopped_one_leaves_its_replies_to_nobody(test::fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.hold(true);
    pipeline commands;
    commands.add("ECHO", "one").add("ECHO", "two").add("ECHO", "three");
    const auto run = [](client& on, pipeline& what, bool& failed) -> task<> {
        const auto answers = co_await on.execute(what);
        failed = !answers && answers.error().code() == std::errc::operation_canceled;
    };
    bool failed = false;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, run(redis, commands, failed)));
    co_await test::settle();
    server.release(9);  // the first reply
    co_await test::settle();
    source.request_stop();
    co_await s.join();
    EXPECT_TRUE(failed);
    server.hold(false);
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "four"), "four");
}

TEST(PipelineTest, AStoppedOneLeavesItsRepliesToNobody) {
    test::run_with_client(&a_stopped_one_leaves_its_replies_to_nobody);
}

task<> execute_again(client& redis, pipeline& commands, replies& into) {
    const result<void> done = co_await redis.execute(commands, into);
    EXPECT_TRUE(done);
}

task<> a_warm_one_allocates_nothing(test::fake_redis& server, client& redis) {
    EXPECT_TRUE(co_await redis.connect());
    server.deaf = true;
    pipeline commands;
    commands.add("GET", "a").add("GET", "b");
    replies into;
    scope s;
    std::size_t allocations = 1;
    for (int round = 0; round < 4; ++round) {
        const test::allocation_counter counter;
        s.spawn(execute_again(redis, commands, into));
        co_await test::settle();
        server.say("$40\r\n0123456789012345678901234567890123456789\r\n*2\r\n:1\r\n+two\r\n");
        co_await test::settle();
        allocations = counter.allocations();
        EXPECT_EQ(into.size(), 2U);
    }
    co_await s.join();
    EXPECT_EQ(allocations, 0U);
    EXPECT_EQ(into[1][1].text(), "two");
}

TEST(PipelineTest, AWarmOneAllocatesNothing) {
    test::run_with_client(&a_warm_one_allocates_nothing);
}

}  // namespace
}  // namespace weir::redisq
