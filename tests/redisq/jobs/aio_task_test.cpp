#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/redisq/jobs/aio_task.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

int sum_of_products = 0;

task<int> multiply(int x, int y) {
    if (y == 0) {
        throw std::runtime_error("nothing comes of nothing");
    }
    sum_of_products += x * y;
    co_return x* y;
}

using product = aio_task<int, int, int>;

// ref: outlives the loop.
task<> stop_when_empty(product& task_of, test::redis_server& server) {
    const std::vector<std::string> running = {"KEYS", "nb_aio_task:products:running:*"};
    for (;;) {
        const std::size_t waiting = co_await task_of.queue_size();
        if (waiting == 0 && server.command(running).empty()) {
            break;
        }
        co_await sleep_for(1ms);
    }
    task_of.stop();
}

class AioTaskTest : public testing::Test {
  protected:
    void SetUp() override {
        WEIR_NEEDS_REDIS();
        sum_of_products = 0;
    }

    // Submits in C++ what is given, then consumes until nothing is left.
    static task<> use(test::redis_server& server, int submits) {  // ref: as above
        client redis(server.url());
        aio_options options;
        options.parameters = {"x", "y"};
        options.lease = 200ms;
        product multiply_job(redis, "products", multiply, options);
        EXPECT_EQ(co_await multiply_job(6, 7), 42);
        sum_of_products = 0;
        for (int i = 1; i <= submits; ++i) {
            co_await multiply_job.submit(i, 1);
        }
        scope s;
        s.spawn(multiply_job.consume());
        s.spawn(stop_when_empty(multiply_job, server));
        co_await s.join();
        co_await redis.close();
    }

    test::redis_server server_;
};

TEST_F(AioTaskTest, RunsWhatPythonAndCppHaveSubmitted) {
    server_.command({"RPUSH", "nb_aio_task:products", R"({"args": [100], "kwargs": {"y": 10}})"});
    event_loop loop;
    loop.run(use(server_, 100));
    EXPECT_EQ(sum_of_products, 5050 + 1000);
    EXPECT_EQ(server_.command({"EXISTS", "nb_aio_task:products:failed"}), "0");
}

TEST_F(AioTaskTest, WhatFailsOrCannotBeReadIsKeptWithItsReason) {
    for (const char* element : {R"({"args": [1, 0], "kwargs": {}})", "\x80\x04pickle.", "nonsense",
                                R"({"args": [2, 3], "kwargs": {}})"}) {
        server_.command({"RPUSH", "nb_aio_task:products", element});
    }
    event_loop loop;
    loop.run(use(server_, 0));
    EXPECT_EQ(sum_of_products, 6);
    const std::string failed =
        server_.command({"LRANGE", "nb_aio_task:products:failed", "0", "-1"});
    EXPECT_THAT(failed, HasSubstr("nothing comes of nothing"));
    EXPECT_THAT(failed, HasSubstr("use_pickle=False"));
    EXPECT_THAT(failed, HasSubstr("not valid JSON"));
}

TEST_F(AioTaskTest, CallsOfADeadConsumerAreRunByAnother) {
    server_.command({"SADD", "nb_aio_task:products:consumers", "dead"});
    for (int i = 0; i < 3; ++i) {
        server_.command(
            {"RPUSH", "nb_aio_task:products:running:dead", R"({"args": [2, 3], "kwargs": {}})"});
    }
    event_loop loop;
    loop.run(use(server_, 1));
    EXPECT_EQ(sum_of_products, 19);
    EXPECT_EQ(server_.command({"EXISTS", "nb_aio_task:products:running:dead"}), "0");
}

TEST_F(AioTaskTest, ClearEmptiesTheList) {
    struct clearer {
        static task<> run(std::string url) {
            client redis(url);
            product multiply_job(redis, "products", multiply);
            co_await multiply_job.submit(1, 2);
            EXPECT_EQ(co_await multiply_job.queue_size(), 1U);
            co_await multiply_job.clear();
            EXPECT_EQ(co_await multiply_job.queue_size(), 0U);
            EXPECT_THROW(product(redis, "", multiply), std::invalid_argument);
            co_await redis.close();
        }
    };
    event_loop loop;
    loop.run(clearer::run(server_.url()));
}

}  // namespace
}  // namespace weir::redisq
