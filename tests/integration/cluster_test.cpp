// cluster_client on a real cluster, which the tests of this file share.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <weir/redisq/cluster_client.hpp>
#include <weir/redisq/slot.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/redis_cluster.hpp"
#include "support/redis_server.hpp"
#include "support/shared_servers.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

const std::vector<int> one_and_two = {1, 2};
constexpr std::uint16_t foo_slot = slot_of("foo");  // 12182, the third node's
// Elections that fail are held again after seconds; how long they take is not what is tested.
constexpr auto failover_limit = 60s;
constexpr std::chrono::milliseconds replication_limit = 30s;

class ClusterTest : public test::shared_servers<test::redis_cluster> {
  protected:
    static test::redis_cluster& cluster() { return servers(); }
};

task<> set_and_get(std::string url) {
    cluster_client redis(url);
    EXPECT_TRUE(co_await redis.connect());
    EXPECT_EQ(redis.nodes(), 3U);
    for (int i = 0; i < 100; ++i) {
        const std::string key = "key:" + std::to_string(i);
        EXPECT_TRUE(co_await redis.command<void>("SET", key, i));
        EXPECT_EQ(co_await redis.command<int>("GET", key), i);
    }
    EXPECT_EQ(co_await redis.command<std::string>("PING"), "PONG");
    EXPECT_EQ(redis.counters().moved, 0U);
    EXPECT_EQ(redis.counters().refreshes, 1U);
    co_await redis.close();
    EXPECT_EQ((co_await redis.command<int>("GET", "key:1")).error(), errc::closed);
    EXPECT_EQ((co_await redis.connect()).error(), errc::closed);
    EXPECT_EQ((co_await redis.client_of("key:1")).error(), errc::closed);
}

TEST_F(ClusterTest, CommandsGoToTheNodesOfTheirSlots) { run(set_and_get(cluster().url())); }

task<> split_and_join(std::string url) {
    cluster_client redis(url);
    pipeline all;
    for (int i = 0; i < 300; ++i) {
        const std::string key = "p:" + std::to_string(i);
        all.add("SET", key, i).add("INCRBY", key, 1'000);
    }
    all.add("LPUSH", "p:7", "x").add("PING");
    const result<replies> answers = co_await redis.execute(all);
    EXPECT_TRUE(answers) << answers.error().message();
    if (!answers) {
        co_return;
    }
    EXPECT_EQ(answers->size(), 602U);
    for (std::size_t i = 0; i < 300; ++i) {
        EXPECT_EQ(answers->get<std::string>(2 * i), "OK");
        EXPECT_EQ(answers->get<std::size_t>(2 * i + 1), 1'000 + i);
    }
    EXPECT_EQ(answers->get<int>(600).error(), errc::wrong_type);
    EXPECT_EQ(answers->get<std::string>(601), "PONG");
    EXPECT_EQ((co_await redis.execute(pipeline()))->size(), 0U);
}

TEST_F(ClusterTest, PipelinesAreSplitByNodeAndJoinedInOrder) {
    run(split_and_join(cluster().url()));
}

task<> cross_slots(std::string url) {
    cluster_client redis(url);
    EXPECT_EQ((co_await redis.command<void>("MSET", "foo", 1, "bar", 2)).error(), errc::cross_slot);
    pipeline mixed;
    mixed.add("SET", "foo", "1").add("DEL", "foo", "bar");
    EXPECT_EQ((co_await redis.execute(mixed)).error(), errc::cross_slot);
    EXPECT_EQ(redis.counters().refreshes, 0U);  // nothing was sent
    EXPECT_TRUE(co_await redis.command<void>("MSET", "{t}1", 1, "{t}2", 2));
    EXPECT_EQ(co_await redis.command<std::vector<int>>("MGET", "{t}1", "{t}2"), one_and_two);
}

TEST_F(ClusterTest, KeysOfSeveralSlotsAreRefusedBeforeSending) {
    run(cross_slots(cluster().url()));
}

task<> follow_a_move(test::redis_cluster& cluster) {
    cluster_client redis(cluster.url());
    EXPECT_TRUE(co_await redis.command<void>("SET", "foo", "before"));
    cluster.begin_move(foo_slot, 2, 0);
    EXPECT_EQ(co_await redis.command<std::string>("GET", "foo"), "before");
    EXPECT_EQ(redis.counters().asked, 0U);
    EXPECT_EQ(cluster.move_keys(foo_slot, 2, 0, 100), 1U);
    EXPECT_EQ(co_await redis.command<std::string>("GET", "foo"), "before");
    EXPECT_TRUE(co_await redis.command<void>("SET", "{foo}new", "x"));
    EXPECT_EQ(redis.counters().asked, 2U);
    cluster.end_move(foo_slot, 0);
    EXPECT_EQ(co_await redis.command<std::string>("GET", "{foo}new"), "x");
    EXPECT_EQ(redis.counters().moved, 1U);
    EXPECT_EQ(co_await redis.command<std::string>("GET", "foo"), "before");
    EXPECT_EQ(redis.counters().moved, 1U);
    const auto owner = co_await redis.client_of("foo");
    EXPECT_TRUE(owner && (co_await (*owner)->command<int>("EXISTS", "foo")) == 1);
    cluster.move(foo_slot, 0, 2);
}

TEST_F(ClusterTest, ASlotIsFollowedWhileItMovesAndAfterwards) { run(follow_a_move(cluster())); }

task<> finish_later(test::redis_cluster& cluster) {
    co_await sleep_for(100ms);
    cluster.move_keys(foo_slot, 2, 1, 100);
    cluster.end_move(foo_slot, 1);
}

task<> try_again(test::redis_cluster& cluster) {
    cluster_client redis(cluster.url());
    EXPECT_TRUE(co_await redis.command<void>("MSET", "foo", 1, "{foo}2", 2));
    cluster.begin_move(foo_slot, 2, 1);
    cluster.move_keys(foo_slot, 2, 1, 1);  // one here, one there
    const auto split = co_await redis.command<std::vector<int>>(call_options().within(500ms),
                                                                "MGET", "foo", "{foo}2");
    EXPECT_EQ(split.error(), errc::try_again);
    scope s;
    s.spawn(finish_later(cluster));
    EXPECT_EQ(co_await redis.command<std::vector<int>>("MGET", "foo", "{foo}2"), one_and_two);
    co_await s.join();
    EXPECT_GT(redis.counters().repeated, 0U);
    cluster.move(foo_slot, 1, 2);
}

TEST_F(ClusterTest, SplitKeysAreTriedAgainUntilTheyAreTogether) { run(try_again(cluster())); }

task<> count_up(cluster_client& redis, int worker, bool& goes_on, std::map<std::string, int>& sum) {
    int i = 0;
    while (goes_on) {
        const std::string key = "{" + std::to_string(i++ % 40) + "}:" + std::to_string(worker);
        const result<int> value = co_await redis.command<int>("INCR", key);
        EXPECT_TRUE(value) << value.error().message();
        EXPECT_EQ(value, ++sum[key]);
    }
}

task<> reshard_under_load(test::redis_cluster& cluster) {
    cluster_client redis(cluster.url());
    std::map<std::string, int> sums[4];
    bool goes_on = true;
    scope s;
    for (int worker = 0; worker < 4; ++worker) {
        s.spawn(count_up(redis, worker, goes_on, sums[worker]));
    }
    for (int i = 0; i < 20; ++i) {
        const std::uint16_t slot = slot_of(std::to_string(i));
        const std::size_t from = slot * std::size_t{3} / slots_max;
        const std::size_t to = (from + 1) % 3;
        co_await sleep_for(2ms);
        cluster.begin_move(slot, from, to);
        co_await sleep_for(2ms);
        cluster.move_keys(slot, from, to, 2);
        co_await sleep_for(2ms);
        cluster.move_keys(slot, from, to, 100);
        cluster.end_move(slot, to);
    }
    co_await sleep_for(10ms);
    goes_on = false;
    co_await s.join();
    EXPECT_GT(redis.counters().moved, 0U);
    EXPECT_GT(sums[0].size(), 20U);
    for (int i = 0; i < 20; ++i) {
        const std::uint16_t slot = slot_of(std::to_string(i));
        const std::size_t from = slot * std::size_t{3} / slots_max;
        cluster.move(slot, (from + 1) % 3, from);
    }
}

TEST_F(ClusterTest, NoCommandIsLostWhileSlotsMoveUnderLoad) { run(reshard_under_load(cluster())); }

task<> connect_into(cluster_client& redis, std::optional<result<void>>& out) {
    out.emplace(co_await redis.connect());
}

// The answer of a node that comes after the close makes no new nodes.
task<> close_while_the_slots_are_read(test::redis_cluster& cluster) {
    cluster_client redis(cluster.url());
    pipeline to_all;  // so that each is connected
    for (int i = 0; i < 30; ++i) {
        to_all.add("GET", "key:" + std::to_string(i));
    }
    EXPECT_TRUE(co_await redis.execute(to_all));
    for (std::size_t i = 0; i < test::redis_cluster::masters; ++i) {
        cluster.node(i).stop();
    }
    std::optional<result<void>> made;
    scope s;
    s.spawn(connect_into(redis, made));
    co_await sleep_for(10ms);
    s.spawn(redis.close());
    co_await sleep_for(10ms);
    EXPECT_FALSE(made);
    for (std::size_t i = 0; i < test::redis_cluster::masters; ++i) {
        cluster.node(i).resume();
    }
    co_await s.join();
    EXPECT_EQ(made->error(), errc::closed);
    EXPECT_EQ(redis.counters().refreshes, 1U);
}

TEST_F(ClusterTest, ACloseWhileTheSlotsAreReadIsKept) {
    run(close_while_the_slots_are_read(cluster()));
}

task<> bad_clusters(std::string url, std::string plain) {
    EXPECT_THROW(cluster_client("unix:///tmp/none"), std::invalid_argument);
    EXPECT_THROW(cluster_client("redis://h/1"), std::invalid_argument);
    EXPECT_THROW(cluster_client("redis+sentinel://h/m"), std::invalid_argument);
    cluster_client no_cluster(plain);
    const result<void> told = co_await no_cluster.connect();
    EXPECT_EQ(told.error(), errc::server_error);
    EXPECT_NE(told.error().message().find("cluster support disabled"), std::string::npos);

    client_options nobody("redis://127.0.0.1:1");
    nobody.command_timeout = 300ms;
    cluster_client lost(nobody);
    EXPECT_EQ((co_await lost.command<int>("GET", "k")).error(), errc::connect_failed);
    // A client of one node is told where a key lives.
    client one(url.substr(0, url.find(',')));
    const result<int> moved = co_await one.command<int>("GET", "foo");
    EXPECT_EQ(moved.error(), errc::moved);
    EXPECT_NE(moved.error().message().find("12182"), std::string::npos);
}

TEST_F(ClusterTest, WhatIsNoClusterIsNamed) {
    test::redis_server plain(test::redis_settings().on_tcp());
    run(bad_clusters(cluster().url(), plain.tcp_url()));
}

// The last one, for a master is gone afterwards.
task<> survive_a_master(test::redis_cluster& cluster) {
    client_options options(cluster.url());
    options.command_timeout = failover_limit;
    cluster_client redis(options);
    EXPECT_TRUE(co_await redis.command<void>("SET", "hello", "1"));  // slot 866
    const auto owner = co_await redis.client_of("hello");
    EXPECT_EQ(co_await owner.value()->command<int>("WAIT", 1, replication_limit.count()), 1);
    cluster.hasten_failover();
    EXPECT_EQ((*owner)->options().server.hosts.front().port, cluster.node(0).port());
    cluster.node(0).kill();
    const result<std::string> text =
        co_await redis.command<std::string>(idempotent, "GET", "hello");
    EXPECT_EQ(text, "1") << text.error().message();
    EXPECT_TRUE(co_await redis.command<void>("SET", "hello", "2"));
    EXPECT_TRUE(co_await redis.command<void>("SET", "foo", "2"));
}

TEST_F(ClusterTest, ZTheReplicaOfADeadMasterServesItsSlots) { run(survive_a_master(cluster())); }

}  // namespace
}  // namespace weir::redisq
