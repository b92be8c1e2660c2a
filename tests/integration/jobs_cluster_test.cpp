// The job queue on a real cluster, which the tests of this file share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <weir/redisq/cluster_client.hpp>
#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/scheduler.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/redisq/slot.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/jobs.hpp"
#include "support/redis_cluster.hpp"
#include "support/shared_servers.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::jobs_are_gone;
using test::quick_worker;
using test::run_with_worker;
using testing::HasSubstr;
using names = std::vector<std::string>;

const job_type<std::string, std::string, raw_payload> echo("echo");

// Which master has the slot of a queue before any test moves it.
constexpr std::size_t home_of(std::string_view queue) {
    return slot_of(queue) * test::redis_cluster::masters / slots_max;
}
static_assert(home_of("mail") == 0 && home_of("images") == 1 && home_of("a") == 2);

class JobsClusterTest : public test::shared_servers<test::redis_cluster> {
  protected:
    static test::redis_cluster& cluster() { return servers(); }
};

// How often each text was run.
using counts = std::map<std::string, int>;

void count_echoes(worker& w, counts& ran) {
    w.on(echo, [&ran](std::string text) {
        ++ran[text];
        return text;
    });
}

// ref: the caller awaits at once.
task<> submit_here(cluster_client& redis, std::string name) {
    queue q(redis, name);
    names texts;
    for (int i = 0; i < 1500; ++i) {
        texts.push_back(name + std::to_string(i));
    }
    EXPECT_EQ(co_await q.submit_many(echo, texts), 1500U);
    submit_options keep;
    keep.keep_result();
    const auto job = co_await q.submit(keep, echo, name + " kept");
    EXPECT_EQ(co_await job.result(20s), name + " kept");
    co_await jobs_are_gone(redis, name);
}

task<> submit_everywhere(std::string url) {
    cluster_client redis(url);
    scope all;
    for (const char* const name : {"mail", "images", "a"}) {
        all.spawn(submit_here(redis, name));
    }
    co_await all.join();
    const names known = co_await queue_admin::queues(redis);
    EXPECT_THAT(known, testing::IsSupersetOf({"a", "images", "mail"}));
    EXPECT_EQ(redis.counters().moved, 0U);
    co_await redis.close();
}

TEST_F(JobsClusterTest, OneWorkerServesQueuesOfAllNodes) {
    counts ran;
    worker w(cluster().url(), quick_worker());
    w.serve("mail").serve("images").serve("a");
    count_echoes(w, ran);
    run_with_worker(w, submit_everywhere(cluster().url()));
    EXPECT_EQ(ran.size(), 4503U);
    EXPECT_EQ(w.stats().done, 4503U);
    EXPECT_EQ(w.stats().leases_lost, 0U);
    // Each queue was where its slot is, and nothing is left of its jobs.
    for (const std::string name : {"mail", "images", "a"}) {
        test::redis_server& home = cluster().node(home_of(name));
        EXPECT_EQ(home.command({"XLEN", "weir:{" + name + "}:s1"}), "0");
        EXPECT_EQ(home.command({"XPENDING", "weir:{" + name + "}:s1", "w"}),
                  "0\n(nil)\n(nil)\n(nil)");
    }
}

task<std::string> say_and_wait(std::string text, job_context& job) {
    if (text == "fails once" && job.attempt() == 1) {
        throw std::runtime_error("so it does");
    }
    if (text == "dies" && job.attempt() == 1) {
        throw give_up("for good");
    }
    co_await job.progress("half");
    if (text == "endless") {
        co_await sleep_for(1h);
    }
    co_return text;
}

// ref: as above.
task<> cancel_when_it_runs(queue& q) {
    submit_options keep;
    keep.keep_result();
    const auto job = co_await q.submit(keep, echo, std::string("endless"));
    while (true) {
        const std::optional<std::string> said = co_await job.progress();
        if (said) {
            EXPECT_EQ(said, "half");
            break;
        }
        co_await sleep_for(1ms);
    }
    EXPECT_EQ(co_await job.cancel(), cancel_outcome::asked);
    bool canceled = false;
    try {
        static_cast<void>(co_await job.result(20s));
    } catch (const exception& problem) {
        canceled = problem.code() == job_errc::canceled;
    }
    EXPECT_TRUE(canceled);
}

// ref: as above.
task<> revive_the_dead(cluster_client& redis, queue& q) {
    submit_options keep;
    keep.keep_result();
    const auto job = co_await q.submit(keep, echo, std::string("dies"));
    queue_admin admin(redis, q.keys().queue());
    while (true) {
        const queue_counts now = co_await admin.counts();
        if (now.dead == 1) {
            break;
        }
        co_await sleep_for(1ms);
    }
    EXPECT_EQ((co_await admin.list(job_state::dead)).size(), 1U);
    EXPECT_EQ((co_await admin.show(job.id()))->state, job_state::dead);
    EXPECT_TRUE(co_await admin.retry(job.id()));
    co_await jobs_are_gone(redis, q.keys().queue());
    EXPECT_EQ((co_await admin.counts()).workers, 1U);
    EXPECT_EQ((co_await admin.workers()).size(), 1U);
}

task<> use_every_script(std::string url) {
    cluster_client redis(url);
    queue_options limited;
    limited.max_length = 50;
    queue q(redis, "images", limited);
    submit_options later;
    later.keep_result().delay(300ms).unique("once");
    const auto delayed = co_await q.submit(later, echo, std::string("delayed"));
    const auto again = co_await q.submit(later, echo, std::string("again"));
    EXPECT_TRUE(again.is_duplicate());
    submit_options keep;
    keep.keep_result();
    const auto failing = co_await q.submit(keep, echo, std::string("fails once"));
    EXPECT_EQ(co_await delayed.result(20s), "delayed");
    EXPECT_EQ(co_await failing.result(20s), "fails once");
    names many;
    for (int i = 0; i < 200; ++i) {
        many.push_back("limited " + std::to_string(i));
    }
    EXPECT_EQ(co_await q.submit_many(echo, many), 200U);
    submit_options far;
    far.delay(1h).unique("far");
    const auto waits = co_await q.submit(far, echo, std::string("never"));
    EXPECT_EQ(co_await waits.cancel(), cancel_outcome::canceled);
    co_await cancel_when_it_runs(q);
    co_await revive_the_dead(redis, q);
    job_scheduler clock(redis, "images");
    clock.add("each minute", cron_schedule("* * * * *"), echo, std::string("tick"))
        .with(catch_up::once);
    EXPECT_EQ(co_await clock.run_once(), 0U);  // no tick since it began
    const std::string last = "1000";           // a tick long ago
    EXPECT_TRUE(co_await redis.command<int>("HSET", q.keys().schedules(), "each minute", last));
    job_scheduler other(redis, "images");
    other.add("each minute", cron_schedule("* * * * *"), echo, std::string("tick"))
        .with(catch_up::once);
    EXPECT_EQ(co_await other.run_once(), 1U);
    co_await jobs_are_gone(redis, "images");
    co_await redis.close();
}

TEST_F(JobsClusterTest, EveryScriptKeepsToTheSlotOfItsQueue) {
    worker_options options = quick_worker();
    options.cluster = true;
    names reports;
    options.on_report = [&reports](const std::string& text) { reports.push_back(text); };
    handler_options limits;
    limits.rate = 100'000;
    limits.rate_burst = 1'000;
    limits.retry = retry_policy::fixed(1ms, 3);
    const std::string url = cluster().url();
    worker w(url.substr(0, url.find(',')), options);  // finds the other nodes by this one
    w.serve("images").on(echo, say_and_wait, limits);
    run_with_worker(w, use_every_script(url));
    EXPECT_EQ(reports, names{});
    EXPECT_EQ(w.stats().canceled, 1U);
    EXPECT_EQ(w.stats().dead, 2U);  // once more after it was revived
}

// What a producer was told is queued.
struct acknowledged {
    std::set<std::string> texts;
    bool goes_on = true;
};

// ref: as above.
task<> submit_on_and_on(cluster_client& redis, std::string name, acknowledged& kept) {
    queue q(redis, name);
    for (int i = 0; kept.goes_on; ++i) {
        const std::string text = name + std::to_string(i);
        if (i % 7 == 0) {
            names more;
            for (int each = 0; each < 50; ++each) {
                more.push_back(text + "." + std::to_string(each));
            }
            co_await q.submit_many(echo, more);
            kept.texts.insert(more.begin(), more.end());
        } else {
            co_await q.submit(echo, text);
            kept.texts.insert(text);
        }
    }
}

// Each step leaves the slot half moved for a while.
// ref: as above.
task<> move_slowly(test::redis_cluster& cluster, std::uint16_t slot, std::size_t from,
                   std::size_t to) {
    cluster.begin_move(slot, from, to);
    co_await sleep_for(30ms);
    cluster.move_keys(slot, from, to, 2);
    co_await sleep_for(30ms);
    while (cluster.move_keys(slot, from, to, 1'000) != 0) {
    }
    co_await sleep_for(30ms);
    cluster.end_move(slot, to);
    co_await sleep_for(100ms);
}

// ref: as above.
task<> move_while_jobs_flow(test::redis_cluster& cluster, worker& w, acknowledged& kept) {
    cluster_client redis(cluster.url());
    constexpr std::uint16_t slot = slot_of("mail");
    scope producers;
    producers.spawn(submit_on_and_on(redis, "mail", kept));
    for (std::size_t from = 0; from < test::redis_cluster::masters; ++from) {
        co_await move_slowly(cluster, slot, from, (from + 1) % test::redis_cluster::masters);
        const std::uint64_t before = w.stats().done;
        while (w.stats().done < before + 100) {
            co_await sleep_for(2ms);  // they flow again
        }
    }
    kept.goes_on = false;
    co_await producers.join();
    co_await jobs_are_gone(redis, "mail");
    EXPECT_GT(redis.counters().moved, 0U);
    co_await redis.close();
}

TEST_F(JobsClusterTest, NoJobIsLostWhileItsSlotMoves) {
    counts ran;
    acknowledged kept;
    worker_options options = quick_worker();
    options.lease = 20s;
    worker w(cluster().url(), options);
    w.serve("mail");
    count_echoes(w, ran);
    run_with_worker(w, move_while_jobs_flow(cluster(), w, kept));
    EXPECT_GT(kept.texts.size(), 300U);
    EXPECT_EQ(ran.size(), kept.texts.size());
    for (const std::string& text : kept.texts) {
        EXPECT_EQ(ran[text], 1) << text;  // and none is run twice
    }
    EXPECT_EQ(w.stats().leases_lost, 0U);
}

task<> run_alone(std::string url) {
    worker w(url, quick_worker());
    w.serve("a");
    std::string said;
    try {
        co_await w.run();
    } catch (const exception& problem) {
        said = problem.what();
        EXPECT_EQ(problem.code(), errc::moved);
    }
    EXPECT_THAT(said, HasSubstr("several hosts"));
}

TEST_F(JobsClusterTest, AWorkerThatIsNotToldOfTheClusterSaysSo) {
    const std::string url = cluster().url();
    run(run_alone(url.substr(0, url.find(','))));  // not the node of "a"
    worker_options options;
    options.cluster = true;
    EXPECT_THROW(worker("unix:///run/redis", options), std::invalid_argument);
    EXPECT_THROW(worker("redis://a:1,b:1/3"), std::invalid_argument);
    EXPECT_NO_THROW(worker("redis+sentinel://a:1,b:1/master"));
}

}  // namespace
}  // namespace weir::redisq
