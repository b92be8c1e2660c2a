// Jobs from submit to their end, on a real server.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/jobs.hpp"
#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::quick_worker;
using test::run_with_worker;

struct resize {
    std::string url;
    int width = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(resize, url, width)

const job_type<resize, std::string> thumbnail("thumbnail");
const job_type<std::string, void, raw_payload> note("note");

task<std::string> make_thumbnail(resize wanted, job_context& job) {
    co_return wanted.url + "@" + std::to_string(wanted.width) + "#" + std::to_string(job.attempt());
}

struct seen {
    std::vector<std::string> notes;
};

class JobsTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }
};

task<> submit_and_wait(std::string url) {
    client redis(url);
    queue q(redis, "images");
    submit_options keep;
    keep.keep_result();
    auto job = co_await q.submit(keep, thumbnail, "a.png", 128);
    EXPECT_EQ(co_await job.result(20s), "a.png@128#1");
    EXPECT_EQ(co_await q.size(), 0U);
    co_await redis.close();
}

TEST_F(JobsTest, AJobIsRunAndItsResultComesBack) {
    test::redis_server server;
    worker w(server.url(), quick_worker());
    w.serve("images").on(thumbnail, make_thumbnail);
    run_with_worker(w, submit_and_wait(server.url()));
    EXPECT_EQ(w.stats().done, 1U);
}

task<> submit_notes(std::string url, worker* w) {
    client redis(url);
    queue q(redis, "notes");
    std::vector<std::string> many;
    for (int i = 0; i < 2500; ++i) {
        many.push_back("note " + std::to_string(i));
    }
    EXPECT_EQ(co_await q.submit_many(note, many), 2500U);
    while (w->stats().done < 2500) {
        co_await sleep_for(1ms);
    }
    co_await redis.close();
    co_await test::jobs_are_gone(url, "notes");
}

TEST_F(JobsTest, ManyJobsAreRunOnceEachInTheirOrder) {
    test::redis_server server;
    std::vector<std::string> got;
    worker w(server.url(), quick_worker());
    w.serve("notes").on(note, [&got](std::string text) { got.push_back(std::move(text)); });
    run_with_worker(w, submit_notes(server.url(), &w));
    ASSERT_EQ(got.size(), 2500U);
    for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i], "note " + std::to_string(i));
    }
    EXPECT_EQ(server.command({"XPENDING", "weir:{notes}:s1", "w"}), "0\n(nil)\n(nil)\n(nil)");
}

}  // namespace
}  // namespace weir::redisq
