// What needs no sentinels; the rest is in tests/integration/sentinel_test.cpp.
#include <gtest/gtest.h>

#include <string>

#include <weir/redisq/sentinel.hpp>

#include "support/run_test.hpp"

namespace weir::redisq {
namespace {

task<> ask_nobody() {
    client_options options("redis+sentinel://127.0.0.1:1,127.0.0.1:2/main");
    const result<server_host> master = co_await find_master(options);
    EXPECT_EQ(master.error(), errc::connect_failed);
    EXPECT_NE(master.error().message().find("sentinel 127.0.0.1:2: "), std::string::npos)
        << master.error().message();
    const auto replicas = co_await find_replicas(options);
    EXPECT_EQ(replicas.error(), errc::connect_failed);
}

TEST(SentinelClientTest, SentinelsThatAreGoneAreNamed) { test::run_test(ask_nobody()); }

TEST(SentinelClientTest, AStoppedSearchEndsAsSuch) {
    const auto stopped = []() -> task<> {
        stop_source source;
        source.request_stop();
        const result<server_host> master = co_await with_stop(
            source, find_master(client_options("redis+sentinel://127.0.0.1:1/main")));
        EXPECT_EQ(master.error().code(), std::errc::operation_canceled);
    };
    test::run_test(stopped());
}

}  // namespace
}  // namespace weir::redisq
