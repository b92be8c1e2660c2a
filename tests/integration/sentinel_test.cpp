// Clients that sentinels lead to their server; the tests of this file share one group.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include <weir/redisq/client.hpp>
#include <weir/redisq/sentinel.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/redis_cluster.hpp"
#include "support/redis_server.hpp"
#include "support/shared_servers.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

class SentinelTest : public test::shared_servers<test::redis_sentinels> {
  protected:
    static test::redis_sentinels& watched() { return servers(); }
};

task<> find_servers(test::redis_sentinels& watched) {
    const result<server_host> master = co_await find_master(client_options(watched.url()));
    EXPECT_EQ(master->port, watched.master().port());
    const auto replicas = co_await find_replicas(client_options(watched.url()));
    EXPECT_EQ(replicas->size(), 1U);
    EXPECT_EQ(replicas->front().port, watched.replica().port());

    client_options reader(watched.url());
    reader.role = server_role::replica;
    client copy(reader);
    EXPECT_EQ((co_await copy.command<void>("SET", "k", "v")).error(), errc::read_only);
}

TEST_F(SentinelTest, MasterAndReplicasAreFound) { run(find_servers(watched())); }

task<> bad_groups(test::redis_sentinels& watched) {
    std::string url = watched.url();
    url.replace(url.find("/mymaster"), std::string::npos, "/other");
    const result<server_host> unknown = co_await find_master(client_options(url));
    EXPECT_EQ(unknown.error(), errc::connect_failed);
    EXPECT_NE(unknown.error().message().find("knows no master 'other'"), std::string::npos);
    const result<server_host> nobody =
        co_await find_master(client_options("redis+sentinel://127.0.0.1:1/mymaster"));
    EXPECT_EQ(nobody.error(), errc::connect_failed);
    EXPECT_NE(nobody.error().message().find("sentinel 127.0.0.1:1: "), std::string::npos);
}

TEST_F(SentinelTest, WhatNoSentinelKnowsIsNamed) { run(bad_groups(watched())); }

task<> wrong_role(std::string replica) {
    client_options options(replica);
    options.role = server_role::master;
    options.connect_attempts = 1;
    client redis(options);
    const result<void> refused = co_await redis.connect();
    EXPECT_EQ(refused.error(), errc::wrong_role);
    EXPECT_NE(refused.error().message().find("is a replica; allowed: master"), std::string::npos);
}

TEST_F(SentinelTest, AServerOfTheWrongRoleIsRefused) {
    run(wrong_role(watched().replica().tcp_url()));
}

// The last one, for the master is gone afterwards.
task<> fail_over(test::redis_sentinels& watched) {
    client_options options("redis+sentinel://127.0.0.1:1," + watched.url().substr(17));
    options.command_timeout = 60s;  // elections that fail are held again after seconds
    client redis(options);
    EXPECT_TRUE(co_await redis.command<void>("SET", "key", "1"));
    EXPECT_EQ(co_await redis.command<int>("WAIT", 1, 30'000), 1);
    watched.master().kill();
    const result<std::string> value = co_await redis.command<std::string>(idempotent, "GET", "key");
    EXPECT_EQ(value, "1") << value.error().message();
    EXPECT_TRUE(co_await redis.command<void>("SET", "key", "2"));
    EXPECT_EQ(watched.replica().command({"GET", "key"}), "2");
}

TEST_F(SentinelTest, ZAFailoverIsFollowed) { run(fail_over(watched())); }

}  // namespace
}  // namespace weir::redisq
