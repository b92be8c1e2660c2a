// How the calls of a consumer that is gone go back to their list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <weir/redisq/jobs/aio_task.hpp>
#include <weir/runtime/clock.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/fake_jobs.hpp"
#include "support/redis_server.hpp"
#include "support/run_test.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::vector<int> order;

task<int> note_order(int x) {
    order.push_back(x);
    co_return x;
}

using noted = aio_task<int, int>;

// ref: outlives the loop.
task<> stop_after(noted& task_of, std::size_t count) {
    while (order.size() < count) {
        co_await sleep_for(1ms);
    }
    task_of.stop();
}

// ref: as above.
task<> consume_in_turn(test::redis_server& server, std::size_t count) {
    client redis(server.url());
    aio_options options;
    options.max_concurrency = 1;
    noted note_job(redis, "products", note_order, options);
    scope s;
    s.spawn(note_job.consume());
    s.spawn(stop_after(note_job, count));
    co_await s.join();
    co_await redis.close();
}

TEST(AioListTest, ManyCallsOfADeadConsumerGoBackInOrderAndAreListedOnce) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    constexpr int count = 2'500;
    const auto call = [](int x) {
        return "{\"args\": [" + std::to_string(x) + "], \"kwargs\": {}}";
    };
    server.command({"SADD", "nb_aio_task:products:consumers", "dead"});
    std::vector<std::string> held = {"HSET", "nb_aio_task:products:running:dead"};
    for (int i = 0; i < count; ++i) {
        const int x = i * 7 % count;  // in no order
        held.push_back(std::to_string(x));
        held.push_back(call(x));
    }
    server.command(held);
    server.command({"RPUSH", "nb_aio_task:products:arrived:dead", call(count)});
    server.command({"RPUSH", "nb_aio_task:products", call(count + 1)});
    server.command({"CONFIG", "RESETSTAT"});
    order.clear();
    event_loop loop;
    loop.run(consume_in_turn(server, count + 2));
    ASSERT_EQ(order.size(), static_cast<std::size_t>(count + 2));
    for (int i = 0; i < count + 2; ++i) {
        EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
    }
    // Of the dead one and, when it ends, of its own.
    EXPECT_THAT(server.command({"INFO", "commandstats"}), HasSubstr("cmdstat_hkeys:calls=2,"));
    EXPECT_EQ(server.command({"SMEMBERS", "nb_aio_task:products:consumers"}).find("dead"),
              std::string::npos);
}

// A server of which each call back takes a second.
struct slow_server {
    slow_server() {
        jobs.says["aio_beat"] = [this](const test::words&) {
            longest = std::max(longest, time.clock().now() - last_beat);
            last_beat = time.clock().now();
            return left == 0 ? std::string("*0\r\n") : test::array_of({test::bulk("dead")});
        };
        jobs.says["aio_take"] = [](const test::words&) { return "*0\r\n"; };
        jobs.says["BLMOVE"] = [](const test::words&) { return ""; };
        jobs.says["DEL"] = [](const test::words&) { return ":1\r\n"; };
        jobs.says["HKEYS"] = [this](const test::words&) { return numbers(); };
        jobs.says["aio_back"] = [this](const test::words& asked) {
            time.clock().advance(1s);
            left -= std::min(left, asked.size() - (3 + 5 + 2));  // less keys, id and limit
            return left == 0 ? ":0\r\n" : ":2\r\n";
        };
    }

    [[nodiscard]] std::string numbers() const {
        std::string all = "*" + std::to_string(left) + "\r\n";
        for (std::size_t i = 0; i < left; ++i) {
            all += test::bulk(std::to_string(i));
        }
        return all;
    }

    test::virtual_loop time;
    test::fake_jobs jobs{time.loop()};
    std::size_t left = 20'000;
    time_point last_beat = time.clock().now();
    duration longest = duration::zero();
};

// ref: as above.
task<> stop_when_all_is_back(noted& task_of, const slow_server& server) {
    while (server.left != 0) {
        co_await sleep_for(1ms);
    }
    task_of.stop();
}

// ref: as above.
task<> consume_beside_a_slow_one(slow_server& server) {
    client redis(server.jobs.options());
    aio_options options;
    options.lease = 8s;
    options.on_report = [](const std::string&) {};
    noted note_job(redis, "products", note_order, options);
    scope both;
    both.spawn(note_job.consume());
    both.spawn(stop_when_all_is_back(note_job, server));
    co_await both.join();
    co_await redis.close();
}

TEST(AioListTest, TheLeaseIsRenewedWhileMuchGoesBack) {
    slow_server server;
    server.jobs.run(consume_beside_a_slow_one(server));
    EXPECT_EQ(server.left, 0U);
    EXPECT_LE(server.longest, 4s);
}

}  // namespace
}  // namespace weir::redisq
