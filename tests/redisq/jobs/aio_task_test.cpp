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
    const std::vector<std::string> arrived = {"KEYS", "nb_aio_task:products:arrived:*"};
    const std::vector<std::string> running = {"KEYS", "nb_aio_task:products:running:*"};
    for (;;) {
        // In the order in which elements move.
        const std::size_t waiting = co_await task_of.queue_size();
        if (waiting == 0 && server.command(arrived).empty() && server.command(running).empty()) {
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
    const std::string call = R"({"args": [2, 3], "kwargs": {}})";
    for (const char* number : {"1", "2", "10"}) {
        server_.command({"HSET", "nb_aio_task:products:running:dead", number, call});
    }
    server_.command({"RPUSH", "nb_aio_task:products:arrived:dead", call});
    event_loop loop;
    loop.run(use(server_, 1));
    EXPECT_EQ(sum_of_products, 25);
    EXPECT_EQ(server_.command({"EXISTS", "nb_aio_task:products:running:dead",
                               "nb_aio_task:products:arrived:dead"}),
              "0");
}

const std::string one_call = R"({"args": [1, 1], "kwargs": {}})";

TEST_F(AioTaskTest, AtMaxmemoryCallsAreStillTakenAndEnd) {
    for (int i = 0; i < 100; ++i) {
        server_.command({"RPUSH", "nb_aio_task:products", one_call});
    }
    server_.command({"RPUSH", "nb_aio_task:products", "nonsense"});
    server_.command({"CONFIG", "SET", "maxmemory", "1"});
    event_loop loop;
    loop.run(use(server_, 0));
    EXPECT_EQ(sum_of_products, 100);
    EXPECT_EQ(server_.command({"LLEN", "nb_aio_task:products:failed"}), "1");
}

// ref: as above.
task<> cut_connections(test::redis_server& server, product& task_of, bool* is_done) {
    while (!*is_done) {
        server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
        co_await sleep_for(5ms);
        if (sum_of_products >= 500) {
            const std::size_t waiting = co_await task_of.queue_size();
            *is_done = waiting == 0;
        }
    }
    task_of.stop();
}

// ref: as above.
task<> consume_over_bad_lines(test::redis_server& server) {
    client redis(server.url());
    aio_options options;
    options.max_concurrency = 3;
    options.on_report = [](const std::string&) {};
    product multiply_job(redis, "products", multiply, options);
    bool is_done = false;
    scope s;
    s.spawn(multiply_job.consume());
    s.spawn(cut_connections(server, multiply_job, &is_done));
    co_await s.join();
    co_await redis.close();
}

TEST_F(AioTaskTest, RepliesThatAreLostLoseNoCallAndRepeatNone) {
    for (int i = 0; i < 500; ++i) {
        server_.command({"RPUSH", "nb_aio_task:products", one_call});
    }
    event_loop loop;
    loop.run(consume_over_bad_lines(server_));
    EXPECT_EQ(sum_of_products, 500);
    EXPECT_EQ(server_.command({"KEYS", "nb_aio_task:products:running:*"}), "");
}

// ref: as above.
task<> mend_when_reported(test::redis_server& server, product& task_of,
                          const std::vector<std::string>* told) {
    while (told->empty()) {
        co_await sleep_for(1ms);
    }
    EXPECT_EQ(sum_of_products, 1);  // the other call has ended meanwhile
    server.command({"DEL", "nb_aio_task:products:failed"});
    while (server.command({"LLEN", "nb_aio_task:products:failed"}) != "1") {
        co_await sleep_for(1ms);
    }
    task_of.stop();
}

// ref: as above.
task<> consume_until_mended(test::redis_server& server, std::vector<std::string>* told) {
    client redis(server.url());
    aio_options options;
    options.on_report = [told](const std::string& text) { told->push_back(text); };
    product multiply_job(redis, "products", multiply, options);
    scope s;
    s.spawn(multiply_job.consume());
    s.spawn(mend_when_reported(server, multiply_job, told));
    co_await s.join();
    co_await redis.close();
}

TEST_F(AioTaskTest, AnEndThatRedisRefusesIsToldAgainUntilItTakesIt) {
    server_.command({"RPUSH", "nb_aio_task:products", R"({"args": [1, 0], "kwargs": {}})"});
    server_.command({"RPUSH", "nb_aio_task:products", one_call});
    std::vector<std::string> told;
    event_loop loop;
    // Only the end of the failed call needs this key.
    server_.command({"SET", "nb_aio_task:products:failed", "text"});
    loop.run(consume_until_mended(server_, &told));
    ASSERT_EQ(told.size(), 2U);
    EXPECT_THAT(told[0], HasSubstr("WRONGTYPE"));
    EXPECT_EQ(told[1], "nb_aio_task:products: goes on");
}

// ref: as above.
task<> consume_small_ones(test::redis_server& server) {
    client_options where(server.url());
    where.limits.bulk_bytes_max = 1000;
    client redis(where);
    aio_options options;
    options.on_report = [](const std::string&) {};
    product multiply_job(redis, "products", multiply, options);
    scope s;
    s.spawn(multiply_job.consume());
    s.spawn(stop_when_empty(multiply_job, server));
    co_await s.join();
    co_await redis.close();
}

TEST_F(AioTaskTest, WhatIsTooLargeIsSetAside) {
    server_.command({"RPUSH", "nb_aio_task:products", std::string(1001, 'x'), one_call});
    event_loop loop;
    loop.run(consume_small_ones(server_));
    EXPECT_EQ(sum_of_products, 1);
    EXPECT_THAT(server_.command({"LRANGE", "nb_aio_task:products:failed", "0", "-1"}),
                testing::EndsWith("xxx\nhas 1001 bytes; allowed: at most 1000"));
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

// ref: as above.
task<> stop_both(product& first, product& second, int sum) {
    for (int waits = 0; waits < 20'000 && sum_of_products < sum; ++waits) {
        co_await sleep_for(1ms);
    }
    first.stop();
    second.stop();
}

// ref: as above.
task<> consume_two(test::redis_server& server) {
    client redis(server.url());
    product ones(redis, "ones", multiply);
    product tens(redis, "tens", multiply);
    for (int i = 1; i <= 3; ++i) {
        co_await ones.submit(i, 1);
        co_await tens.submit(i, 10);
    }
    scope s;
    s.spawn(batch_consume(ones, tens));
    s.spawn(stop_both(ones, tens, 66));
    co_await s.join();
    co_await redis.close();
}

TEST_F(AioTaskTest, SeveralAreConsumedTogetherUntilAllAreStopped) {
    event_loop loop;
    loop.run(consume_two(server_));
    EXPECT_EQ(sum_of_products, 66);
}

}  // namespace
}  // namespace weir::redisq
