#include <gtest/gtest.h>

#include <string>

#include <weir/redisq/transaction.hpp>

#include "support/client_test.hpp"

namespace weir::redisq {
namespace {

// A server that queues, and then answers EXEC as it is told.
void queue_commands(test::fake_redis& server, std::string exec) {
    server.answer = [&server, exec](const test::words& words) -> std::string {
        if (words[0] == "HELLO" || words[0] == "PING" || words[0] == "ECHO") {
            return server.usual(words);
        }
        if (words[0] == "MULTI") {
            return "+OK\r\n";
        }
        if (words[0] == "FLY") {
            return "-ERR unknown command 'FLY'\r\n";
        }
        return words[0] == "EXEC" ? exec : "+QUEUED\r\n";
    };
}

task<> replies_are_those_of_the_commands(test::fake_redis& server, client& redis) {
    queue_commands(server, "*2\r\n:5\r\n-WRONGTYPE no\r\n");
    transaction commands;
    commands.add("INCR", "a").add("LPUSH", "a", 1);
    EXPECT_EQ(commands.size(), 2U);
    const result<replies> done = co_await redis.execute(commands);
    EXPECT_TRUE(done);
    EXPECT_EQ(done->size(), 2U);
    EXPECT_EQ(done->get<int>(0), 5);
    EXPECT_EQ(done->get<int>(1).error(), errc::wrong_type) << "the others stand";
    EXPECT_EQ(server.log.size(), 4U);
}

TEST(TransactionTest, RepliesAreThoseOfTheCommands) {
    test::run_with_client(&replies_are_those_of_the_commands);
}

task<> a_refused_command_is_named(test::fake_redis& server, client& redis) {
    queue_commands(server, "-EXECABORT Transaction discarded because of previous errors.\r\n");
    transaction commands;
    commands.add("INCR", "a").add("FLY");
    const result<replies> done = co_await redis.execute(commands);
    EXPECT_EQ(done.error(), errc::exec_aborted);
    EXPECT_EQ(done.error().message(), "EXECABORT: ERR unknown command 'FLY'");
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "next"), "next");
}

TEST(TransactionTest, ARefusedCommandIsNamed) {
    test::run_with_client(&a_refused_command_is_named);
}

task<> a_changed_key_is_told(test::fake_redis& server, client& redis) {
    queue_commands(server, "_\r\n");
    transaction commands;
    commands.add("INCR", "a");
    EXPECT_EQ((co_await redis.execute(commands)).error(), errc::watch_failed);
    queue_commands(server, "*-1\r\n");
    EXPECT_EQ((co_await redis.execute(commands)).error(), errc::watch_failed) << "in RESP2";
}

TEST(TransactionTest, AChangedKeyIsTold) { test::run_with_client(&a_changed_key_is_told); }

}  // namespace
}  // namespace weir::redisq
