// The job queue on a cluster that loses nodes.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>

#include <weir/redisq/cluster_client.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/redisq/slot.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/jobs.hpp"
#include "support/redis_cluster.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::jobs_are_gone;
using test::quick_worker;
using test::run_with_worker;

const job_type<std::string, std::string, raw_payload> echo("echo");

// The master that has the slot of a queue at first.
constexpr std::size_t home_of(std::string_view queue) {
    return slot_of(queue) * test::redis_cluster::masters / slots_max;
}
static_assert(home_of("images") == 1 && home_of("a") == 2);

class JobsFailoverTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }
};

// What a producer was told is queued, and how often each was run.
struct journal {
    std::set<std::string> acknowledged;
    std::map<std::string, int> ran;
};

void count_echoes(worker& w, journal& log) {
    w.on(echo, [&log](std::string text) {
        ++log.ran[text];
        return text;
    });
}

void expect_none_lost(const journal& log) {
    for (const std::string& text : log.acknowledged) {
        EXPECT_TRUE(log.ran.contains(text)) << text;
    }
}

// ref: the caller awaits at once.
task<> submit_kept_jobs(cluster_client& redis, std::string name, int from, int to, journal& log) {
    queue q(redis, name);
    submit_options safely;
    safely.repeat_safely();
    for (int i = from; i < to; ++i) {
        const std::string text = name + std::to_string(i);
        co_await q.submit(safely, echo, text);
        log.acknowledged.insert(text);
    }
}

// ref: as above.
task<> lose_the_owner(test::redis_cluster& cluster, journal& log) {
    client_options options(cluster.url());
    options.command_timeout = 30s;
    cluster_client redis(options);
    co_await submit_kept_jobs(redis, "images", 0, 300, log);
    const auto owner = co_await redis.client_of("{images}");
    EXPECT_EQ(co_await owner.value()->command<int>("WAIT", 1, 5'000), 1);
    cluster.hasten_failover();
    cluster.node(home_of("images")).kill();
    co_await submit_kept_jobs(redis, "images", 300, 600, log);
    co_await jobs_are_gone(redis, "images");
    co_await redis.close();
}

TEST_F(JobsFailoverTest, TheReplicaOfADeadOwnerGoesOnWithItsJobs) {
    test::redis_cluster cluster;
    journal log;
    worker w(cluster.url(), quick_worker());
    w.serve("images");
    count_echoes(w, log);
    run_with_worker(w, lose_the_owner(cluster, log));
    EXPECT_EQ(log.acknowledged.size(), 600U);
    expect_none_lost(log);
}

// Who asks for nothing but the slot finds its new owner.
// ref: as above.
task<> leave_when_it_is_replaced(cluster_client& redis, std::string name) {
    detail::job_server server = detail::job_server(redis).of_queue(name);
    const auto frozen = server.node();
    for (bool left = false; !left; co_await sleep_for(20ms)) {
        left = co_await server.leave_silent_owner(frozen);
    }
    // Not at the first try: a node that has not heard of the failover yet may name the former
    // owner.
    for (bool answers = false; !answers; co_await sleep_for(20ms)) {
        const auto length = co_await server.command<int>("XLEN", "weir:{" + name + "}:s1");
        answers = length.has_value();
        static_cast<void>(co_await server.leave_silent_owner(frozen));
    }
}

// ref: as above.
task<> freeze_the_owner(test::redis_cluster& cluster, journal& log) {
    client_options options(cluster.url());
    options.connect_timeout = 1s;
    options.command_timeout = 3s;
    cluster_client redis(options);
    co_await submit_kept_jobs(redis, "a", 0, 100, log);
    const auto owner = co_await redis.client_of("{a}");
    EXPECT_EQ(co_await owner.value()->command<int>("WAIT", 1, 5'000), 1);
    cluster_client watcher(options);
    EXPECT_TRUE(co_await watcher.connect());
    cluster.hasten_failover();
    cluster.node(home_of("a")).stop();
    scope watching;
    watching.spawn(with_timeout(60s, leave_when_it_is_replaced(watcher, "a")));
    for (bool is_back = false; !is_back; co_await sleep_for(50ms)) {
        try {
            co_await submit_kept_jobs(redis, "a", 100, 200, log);
            is_back = true;
        } catch (const exception&) {
            is_back = false;  // in doubt, or not reached: it is submitted again
        }
    }
    co_await watching.join();
    co_await jobs_are_gone(redis, "a");
    co_await redis.close();
}

TEST_F(JobsFailoverTest, AnOwnerThatAnswersNoMoreIsLeft) {
    test::redis_cluster cluster;
    journal log;
    worker_options options = quick_worker();
    options.lease = 3s;
    client_options server(cluster.url());
    server.connect_timeout = 1s;
    worker w(server, options);
    w.serve("a");
    count_echoes(w, log);
    run_with_worker(w, freeze_the_owner(cluster, log));
    expect_none_lost(log);
    cluster.node(home_of("a")).resume();
}

}  // namespace
}  // namespace weir::redisq
