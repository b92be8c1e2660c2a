// What needs no cluster; the rest is in tests/integration/cluster_test.cpp.
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include <weir/redisq/cluster_client.hpp>
#include <weir/redisq/detail/cluster_core.hpp>
#include <weir/runtime/net/tcp.hpp>

#include "support/peers.hpp"
#include "support/run_test.hpp"

namespace weir::redisq {
namespace {

using detail::redirect_in;

TEST(ClusterClientTest, RedirectsNameSlotAndHost) {
    const server_host teller("here", 7'000);
    const auto moved = redirect_in("MOVED 3999 127.0.0.1:6381", teller);
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->slot, 3'999);
    EXPECT_EQ(moved->to, server_host("127.0.0.1", 6381));
    EXPECT_EQ(redirect_in("ASK 16383 ::1:65535", teller)->to, server_host("::1", 65'535));
    EXPECT_EQ(redirect_in("MOVED 0 :7001", teller)->to, server_host("here", 7'001));
    EXPECT_EQ(redirect_in("MOVED 1 h:2 more", teller)->to, server_host("h", 2));
}

TEST(ClusterClientTest, WhatIsNoRedirectIsNotFollowed) {
    const server_host teller("here", 7'000);
    for (const char* const text :
         {"", "MOVED", "MOVED 1", "MOVED 1 ", "MOVED x h:1", "MOVED 1 h", "MOVED 16384 h:1",
          "MOVED -1 h:1", "MOVED 1 h:0", "MOVED 1 h:65536", "MOVED 1 h:", "MOVED 1 h:1x"}) {
        EXPECT_FALSE(redirect_in(text, teller)) << text;
    }
}

std::string refusal(const char* url) {
    try {
        const cluster_client made(url);
        return "nothing was thrown";
    } catch (const std::invalid_argument& thrown) {
        return thrown.what();
    }
}

task<> refuse_what_is_no_cluster() {
    for (const char* const url :
         {"unix:///run/redis.sock", "redis://h/1", "embedded://", "redis+sentinel://h/m"}) {
        EXPECT_NE(refusal(url).find("allowed for a cluster"), std::string::npos) << refusal(url);
    }
    EXPECT_NE(refusal("redis://h:0").find("port is 0"), std::string::npos);
    co_return;
}

TEST(ClusterClientTest, OptionsOfNoClusterAreRefused) {
    test::run_test(refuse_what_is_no_cluster());
}

task<> refuse_cross_slots() {
    cluster_client redis("redis://127.0.0.1:1");
    const result<void> refused = co_await redis.command<void>("DEL", "foo", "bar");
    EXPECT_EQ(refused.error(), errc::cross_slot);
    co_await redis.close();
    EXPECT_EQ((co_await redis.command<void>("DEL", "foo")).error(), errc::closed);
}

TEST(ClusterClientTest, KeysOfSeveralSlotsNeedNoServerToBeRefused) {
    test::run_test(refuse_cross_slots());
}

task<> connect_into(cluster_client& redis, std::optional<result<void>>& out) {
    out.emplace(co_await redis.connect());
}

// A node that says nothing, and a client that goes before it does.
task<> leave_while_connecting() {
    auto silent = tcp_listener::listen(socket_address::loopback_ipv4(0));
    const std::string url = "redis://" + silent->local_address().value().to_string();
    std::optional<result<void>> made;
    scope s;
    {
        cluster_client redis(url);
        s.spawn(connect_into(redis, made));
        co_await test::turns(5);
        EXPECT_FALSE(made);
    }
    co_await s.join();
    EXPECT_EQ(made->error(), errc::closed);
}

TEST(ClusterClientTest, AClientMayGoWhileTheSlotsAreRead) {
    test::run_test(leave_while_connecting());
}

task<> connect_stopped() {
    cluster_client redis("redis://127.0.0.1:1");
    std::optional<result<void>> made;
    stop_source source;
    source.request_stop();
    co_await with_stop(source, connect_into(redis, made));
    EXPECT_EQ(made->error().code(), std::errc::operation_canceled);
}

TEST(ClusterClientTest, AStoppedConnectIsAnError) { test::run_test(connect_stopped()); }

}  // namespace
}  // namespace weir::redisq
