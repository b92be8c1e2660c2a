#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include <weir/redisq/jobs/queue.hpp>
#include <weir/runtime/event_loop.hpp>

#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

const job_type<std::string, std::string, raw_payload> echo("echo");

task<> submit_plainly(std::string url) {
    client redis(url);
    queue q(redis, "plain");
    const auto job = co_await q.submit(echo, std::string("hello"));
    EXPECT_TRUE(parse_job_id(job.id()));
    std::string bytes;
    envelope made;
    made.type = "made elsewhere";
    write_envelope(bytes, made);
    const std::string id = co_await q.submit_envelope(bytes, 3);
    EXPECT_TRUE(id.ends_with(".3"));
    EXPECT_EQ(co_await q.size(), 2U);
    EXPECT_THROW(queue(redis, "with blank"), std::invalid_argument);
    queue_options bad;
    bad.max_payload = 0;
    EXPECT_THROW(queue(redis, "plain", bad), std::invalid_argument);
    co_await redis.close();
}

TEST(QueueTest, APlainJobIsOneEntryOfItsLane) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(submit_plainly(server.url()));
    EXPECT_EQ(server.command({"DBSIZE"}), "2");
    EXPECT_THAT(server.command({"XRANGE", "weir:{plain}:s1", "-", "+"}),
                testing::EndsWith(std::string("\nj\n\x01\x00\x04"
                                              "echohello",
                                              15)));
    EXPECT_EQ(server.command({"XLEN", "weir:{plain}:s3"}), "1");
}

task<> run_into_wrong_type(std::string url) {
    client redis(url);
    queue q(redis, "plain");
    std::error_code code;
    try {
        co_await q.submit(echo, std::string("hello"));
    } catch (const exception& problem) {
        code = problem.code();
    }
    EXPECT_EQ(code, errc::wrong_type);
    co_await redis.close();
}

TEST(QueueTest, AKeyThatHoldsSomethingElseIsAClearError) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    server.command({"SET", "weir:{plain}:s1", "text"});
    event_loop loop;
    loop.run(run_into_wrong_type(server.url()));
}

}  // namespace
}  // namespace weir::redisq
