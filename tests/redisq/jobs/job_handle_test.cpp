#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include <weir/redisq/jobs/queue.hpp>
#include <weir/runtime/event_loop.hpp>

#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

const job_type<std::string, int> count("count");
using handle = job_handle<job_type<std::string, int>>;

task<std::error_code> failure_of(handle job, duration limit) {
    std::error_code code;
    try {
        static_cast<void>(co_await job.result(limit));
    } catch (const exception& problem) {
        code = problem.code();
    }
    co_return code;
}

// ref: outlives the loop.
task<> wait_for_results(test::redis_server& server) {
    client redis(server.url());
    queue q(redis);
    const handle plain = co_await q.submit(count, std::string("a"));
    EXPECT_EQ(co_await failure_of(plain, 1s), job_errc::no_result);
    submit_options keep;
    keep.keep_result();
    const handle kept = co_await q.submit(keep, count, std::string("b"));
    EXPECT_EQ(co_await failure_of(kept, 5ms), job_errc::result_timed_out);
    server.command({"SET", "weir:{default}:r:" + kept.id(), "v142"});
    EXPECT_EQ(co_await kept.result(1s), 42);
    EXPECT_EQ(co_await q.find(count, kept.id()).result(1s), 42);
    server.command({"SET", "weir:{default}:r:" + kept.id(), "dno disk"});
    EXPECT_EQ(co_await failure_of(kept, 1s), job_errc::dead);
    server.command({"SET", "weir:{default}:r:" + kept.id(), "v1nonsense"});
    EXPECT_EQ(co_await failure_of(kept, 1s), job_errc::bad_payload);
    co_await redis.close();
}

TEST(JobHandleTest, WaitsForTheResultAndTellsWhyThereIsNone) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(wait_for_results(server));
}

}  // namespace
}  // namespace weir::redisq
