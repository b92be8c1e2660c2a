#include <gtest/gtest.h>

#include <string>

#include <weir/redisq/cluster_client.hpp>
#include <weir/redisq/detail/cluster_core.hpp>
#include <weir/redisq/jobs/detail/job_server.hpp>
#include <weir/redisq/slot.hpp>
#include <weir/runtime/net/tcp.hpp>

#include "support/run_test.hpp"

namespace weir::redisq {
namespace {

using detail::job_server;

server_host host_of(const tcp_listener& one) {
    return {"127.0.0.1", one.local_address().value().port()};
}

// Two nodes that say nothing. Who waits for one learns from others that the slot has moved.
task<> move_behind_a_silent_call() {
    const auto former = tcp_listener::listen(socket_address::loopback_ipv4(0));
    const auto next = tcp_listener::listen(socket_address::loopback_ipv4(0));
    cluster_client redis("redis://" + host_of(*former).to_string());
    job_server server = job_server(redis).of_queue("a");
    EXPECT_EQ(server.node(), nullptr);
    EXPECT_FALSE(co_await server.leave_silent_owner(server.node()));
    redis.core()->assign(slot_of("a"), host_of(*former));
    const auto asked = server.node();
    EXPECT_NE(asked, nullptr);
    EXPECT_FALSE(co_await server.leave_silent_owner(asked));
    redis.core()->assign(slot_of("a"), host_of(*next));
    EXPECT_TRUE(co_await server.leave_silent_owner(asked));
    EXPECT_FALSE(co_await server.leave_silent_owner(server.node()));
}

TEST(JobServerTest, AnOwnerThatWasSilentIsLeftWhoeverHasLearntOfTheNext) {
    test::run_test(move_behind_a_silent_call());
}

task<> ask_one_server() {
    client redis("unix:///nowhere");
    job_server server(redis);
    EXPECT_EQ(server.node(), nullptr);
    EXPECT_FALSE(co_await server.leave_silent_owner(server.node()));
}

TEST(JobServerTest, OneServerIsNeverLeft) { test::run_test(ask_one_server()); }

}  // namespace
}  // namespace weir::redisq
