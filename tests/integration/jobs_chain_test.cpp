// Chains: the result of each job is the payload of the next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/scripts.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/jobs.hpp"
#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::quick_worker;
using test::run_with_worker;

const job_type<int, int> twice("twice");
const job_type<int, std::string> write_down("write down");
const job_type<std::string, std::string> shout("shout");

class JobChainTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }

    // Of handlers that note what they do.
    worker& prepare(worker& w) {
        w.on(twice, [this](int value) {
            ran_.push_back("twice " + std::to_string(value));
            return 2 * value;
        });
        w.on(write_down, [this](int value) {
            ran_.push_back("write " + std::to_string(value));
            return std::to_string(value);
        });
        handler_options once;
        once.retry = retry_policy::none();
        w.on(shout, [this](const std::string& text) { return shouted(text); }, once);
        return w;
    }

    std::string shouted(const std::string& text) {
        ran_.push_back("shout " + text);
        keys_held_ = server_.command({"KEYS", "weir:{default}:u:*"});
        if (is_hoarse_) {
            throw std::runtime_error("no voice");
        }
        return text + "!";
    }

    test::redis_server server_;
    std::vector<std::string> ran_;
    std::string keys_held_;  // while the last step ran
    bool is_hoarse_ = false;
};

task<> run_chain(std::string url) {
    client redis(url);
    queue q(redis);
    submit_options keep;
    keep.keep_result().unique("sum");
    const auto steps = chain(twice).then(twice, 0).then(write_down, 3).then(shout);
    const auto last = co_await q.submit(keep, steps, 21);
    EXPECT_EQ(co_await last.result(20s), "84!");
    EXPECT_EQ(co_await q.size(), 0U);
    co_await redis.close();
}

TEST_F(JobChainTest, EachStepTakesTheResultOfTheOneBefore) {
    worker w(server_.url(), quick_worker());
    run_with_worker(prepare(w), run_chain(server_.url()));
    EXPECT_THAT(ran_, testing::ElementsAre("twice 21", "twice 42", "write 84", "shout 84"));
    // Its key was held until the end; nothing is left of the steps.
    EXPECT_EQ(keys_held_, "weir:{default}:u:sum");
    EXPECT_EQ(server_.command({"KEYS", "weir:{default}:u:*"}), "");
    EXPECT_EQ(server_.command({"EXISTS", "weir:{default}:h", "weir:{default}:z"}), "0");
}

// ref: outlives the loop.
task<> fail_and_go_on(test::redis_server& server, bool& is_hoarse) {
    client redis(server.url());
    queue q(redis);
    queue_admin admin(redis);
    submit_options keep;
    keep.keep_result().unique("word");
    const auto steps = chain(write_down).then(shout).then(shout);
    const auto last = co_await q.submit(keep, steps, 7);
    std::string told;
    try {
        static_cast<void>(co_await last.result(20s));
    } catch (const exception& problem) {
        EXPECT_EQ(problem.code(), job_errc::dead);
        told = problem.what();
    }
    EXPECT_THAT(told, testing::EndsWith("is dead: no voice"));
    const auto dead = co_await admin.list(job_state::dead);
    EXPECT_EQ(dead.size(), 1U);
    EXPECT_EQ(dead.at(0).id, last.id());
    EXPECT_EQ(dead.at(0).type, "shout");
    EXPECT_EQ(dead.at(0).payload, "\"7\"");
    EXPECT_EQ(server.command({"KEYS", "weir:{default}:u:*"}), "");
    is_hoarse = false;
    EXPECT_TRUE(co_await admin.retry(last.id()));
    EXPECT_EQ(co_await last.result(20s), "7!!");
    co_await redis.close();
}

TEST_F(JobChainTest, AFailureEndsItAndARetryGoesOnFromThere) {
    is_hoarse_ = true;
    worker w(server_.url(), quick_worker());
    run_with_worker(prepare(w), fail_and_go_on(server_, is_hoarse_));
    EXPECT_THAT(ran_, testing::ElementsAre("write 7", "shout 7", "shout 7", "shout 7!"));
}

// ref: outlives the loop.
task<> cancel_between(test::redis_server& server) {
    client redis(server.url());
    queue q(redis);
    const queue_keys& keys = q.keys();
    const auto last = co_await q.submit(chain(twice).then(write_down, 3), 1);
    // A worker's part: the first step has ended.
    server.command({"XGROUP", "CREATE", keys.lane(1), "w", "0"});
    server.command({"XREADGROUP", "GROUP", "w", "me", "STREAMS", keys.lane(1), ">"});
    const std::string entry = last.id().substr(0, last.id().find('.'));
    std::string next;
    envelope step;
    step.type = "write down";
    step.format = payload_format::json;
    step.payload = "2";
    write_envelope(next, step);
    EXPECT_EQ(server.command({"EVAL", std::string(scripts::settle.text), "5", keys.lane(1),
                              keys.filed(), keys.result(last.id()), keys.unique(""), keys.lane(3),
                              "w", "me", entry, "", "", "0", "", "", last.id(), "3", next}),
              "1");
    EXPECT_EQ(server.command({"XLEN", keys.lane(1)}), "0");
    EXPECT_EQ(server.command({"XLEN", keys.lane(3)}), "1");
    EXPECT_EQ(co_await last.cancel(), cancel_outcome::canceled);
    EXPECT_EQ(co_await q.size(), 0U);
    co_await redis.close();
}

TEST_F(JobChainTest, TheHandleCancelsWhicheverStepWaits) {
    event_loop loop;
    loop.run(cancel_between(server_));
    EXPECT_EQ(server_.command({"EXISTS", "weir:{default}:h"}), "0");
}

// A step that does not look whether it is to stop.
struct stubborn_step {
    event started;
    event asked;
};

// ref: outlives the worker.
task<int> end_when_asked(stubborn_step& step, int value) {
    step.started.set();
    try {
        co_await event().wait();
    } catch (const canceled&) {
        step.asked.set();
    }
    co_return value;
}

// ref: as above.
task<> cancel_a_running_step(std::string url, stubborn_step& step) {
    client redis(url);
    queue q(redis);
    submit_options keep;
    keep.keep_result();
    const auto last = co_await q.submit(keep, chain(twice).then(write_down), 1);
    co_await step.started.wait();
    EXPECT_EQ(co_await last.cancel(), cancel_outcome::asked);
    co_await step.asked.wait();
    std::error_code told;
    try {
        static_cast<void>(co_await last.result(20s));
    } catch (const exception& problem) {
        told = problem.code();
    }
    EXPECT_EQ(told, job_errc::canceled);
    EXPECT_EQ(co_await q.size(), 0U);
    co_await redis.close();
}

TEST_F(JobChainTest, ACancelEndsItThoughTheStepThatRunsSucceeds) {
    stubborn_step step;
    worker w(server_.url(), quick_worker());
    w.on(twice, [&step](int value) { return end_when_asked(step, value); });
    w.on(write_down, [this](int value) {
        ran_.push_back("write " + std::to_string(value));
        return std::string();
    });
    run_with_worker(w, with_timeout(20s, cancel_a_running_step(server_.url(), step)));
    EXPECT_THAT(ran_, testing::IsEmpty());
    EXPECT_EQ(w.stats().canceled, 1U);
    EXPECT_EQ(w.stats().done, 0U);
}

// ref: as above.
task<> run_into_a_wall(std::string url) {
    client redis(url);
    queue q(redis);
    co_await q.submit(chain(twice).then(write_down, 3), 1);
    long dead = 0;
    while (dead == 0) {
        co_await sleep_for(1ms);
        dead = value_or_throw(co_await redis.command<long>("HLEN", q.keys().dead_jobs()));
    }
    co_await redis.close();
}

TEST_F(JobChainTest, OneWhoseNextStepCannotBeQueuedIsDeadWithTheReason) {
    server_.command({"SET", "weir:{default}:s3", "no stream"});
    worker w(server_.url(), quick_worker());
    run_with_worker(prepare(w), with_timeout(10s, run_into_a_wall(server_.url())));
    EXPECT_THAT(ran_, testing::ElementsAre("twice 1"));
    EXPECT_THAT(server_.command({"HVALS", "weir:{default}:d"}),
                testing::HasSubstr("the next step of its chain was refused: WRONGTYPE"));
}

}  // namespace
}  // namespace weir::redisq
