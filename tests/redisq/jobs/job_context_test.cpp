#include <gtest/gtest.h>

#include <string>

#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>

#include "support/jobs.hpp"
#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

const job_type<std::string, std::string, raw_payload> echo("echo");

task<> submit_traced(std::string url) {
    client redis(url);
    queue q(redis, "seen");
    submit_options traced;
    traced.trace("00-abc").keep_result();
    const auto job = co_await q.submit(traced, echo, std::string("payload"));
    EXPECT_EQ(co_await job.result(std::chrono::seconds(20)),
              job.id() + " echo seen 1 0 00-abc payload");
    co_await redis.close();
}

TEST(JobContextTest, TellsAHandlerWhatItsJobIs) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    worker w(server.url(), test::quick_worker());
    w.serve("seen").on(echo, [](const std::string&, job_context& job) {
        return job.id() + " " + std::string(job.type()) + " " + job.queue() + " " +
               std::to_string(job.attempt()) + " " + std::to_string(job.crashes()) + " " +
               std::string(job.trace()) + " " + std::string(job.payload());
    });
    test::run_with_worker(w, submit_traced(server.url()));
}

}  // namespace
}  // namespace weir::redisq
