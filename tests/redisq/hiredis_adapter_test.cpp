#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <weir/redisq/hiredis_adapter.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

struct conversation {
    std::vector<std::string> replies;
    std::size_t wanted = 0;
    int disconnects = 0;
};

void on_reply(redisAsyncContext* redis, void* reply, void* /*unused*/) {
    auto& talk = *static_cast<conversation*>(redis->data);
    const auto* const said = static_cast<const redisReply*>(reply);
    talk.replies.push_back(said == nullptr ? "(none)" : std::string(said->str, said->len));
    if (talk.replies.size() == talk.wanted) {
        redisAsyncDisconnect(redis);
    }
}

void on_disconnect(const redisAsyncContext* redis, int /*status*/) {
    ++static_cast<conversation*>(redis->data)->disconnects;
}

redisAsyncContext* connected(const std::string& socket, conversation& talk) {
    redisAsyncContext* const redis = redisAsyncConnectUnix(socket.c_str());
    EXPECT_EQ(redis->err, 0) << redis->errstr;
    redis->data = &talk;
    return redis;
}

task<> talk_to(std::string socket) {
    conversation talk;
    redisAsyncContext* const redis = connected(socket, talk);
    hiredis_adapter adapter(*redis);
    redisAsyncSetDisconnectCallback(redis, on_disconnect);
    const std::string big(1'000'000, 'b');
    talk.wanted = 202;
    redisAsyncCommand(redis, on_reply, nullptr, "SET big %b", big.data(), big.size());
    redisAsyncCommand(redis, on_reply, nullptr, "GET big");
    for (int i = 0; i < 200; ++i) {
        redisAsyncCommand(redis, on_reply, nullptr, "ECHO %d", i);
    }
    co_await adapter.run();
    EXPECT_EQ(talk.replies.size(), 202U);
    EXPECT_EQ(talk.replies[0], "OK");
    EXPECT_EQ(talk.replies[1], big);
    EXPECT_EQ(talk.replies[2], "0");
    EXPECT_EQ(talk.replies[201], "199");
    EXPECT_EQ(talk.disconnects, 1);
    co_await adapter.run();  // the context is gone: ends at once
}

TEST(HiredisAdapterTest, RepliesComeInOrderUntilTheContextDisconnects) {
    WEIR_NEEDS_REDIS();
    const test::redis_server server;
    run(talk_to(server.socket()));
}

task<> lose(test::redis_server& server) {
    conversation talk;
    redisAsyncContext* const redis = connected(server.socket(), talk);
    hiredis_adapter adapter(*redis);
    redisAsyncSetDisconnectCallback(redis, on_disconnect);
    redisAsyncCommand(redis, on_reply, nullptr, "DEBUG SLEEP 100");
    bool late = false;
    try {
        co_await with_timeout(50ms, adapter.run());
    } catch (const timed_out&) {
        late = true;
    }
    EXPECT_TRUE(late);
    server.kill();
    co_await adapter.run();
    EXPECT_EQ(talk.disconnects, 1);
    EXPECT_EQ(talk.replies, std::vector<std::string>(1, "(none)"));
}

TEST(HiredisAdapterTest, RunIsStoppedAndGoesOnAndSeesTheEndOfTheServer) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    run(lose(server));
}

task<> outlive(std::string socket) {
    conversation talk;
    redisAsyncContext* const redis = connected(socket, talk);
    {
        const hiredis_adapter adapter(*redis);
        redisAsyncCommand(redis, on_reply, nullptr, "PING");
    }
    redisAsyncFree(redis);
    EXPECT_EQ(talk.replies, std::vector<std::string>(1, "(none)"));
    co_return;
}

TEST(HiredisAdapterTest, AContextMayOutliveItsAdapter) {
    WEIR_NEEDS_REDIS();
    const test::redis_server server;
    run(outlive(server.socket()));
}

}  // namespace
}  // namespace weir::redisq
