// Functions posted by threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include <weir/runtime/event.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/latch.hpp>
#include <weir/runtime/yield.hpp>

namespace weir {
namespace {

task<> wait_on(event& flag) { co_await flag.wait(); }
task<> wait_on_latch(latch& done) { co_await done.wait(); }

TEST(PostTest, APostWakesASleepingLoop) {
    event_loop loop;
    for (int round = 0; round < 100; ++round) {
        event flag;
        std::jthread poster([&] { loop.post([&] { flag.set(); }); });
        loop.run(wait_on(flag));
    }
    EXPECT_EQ(loop.counters().posts, 100U);
}

TEST(PostTest, PostsOfOneThreadRunInTheirOrderOnTheLoopsThread) {
    event_loop loop;
    event finished;
    std::vector<int> log;
    std::jthread poster([&] {
        for (int number = 0; number < 10'000; ++number) {
            loop.post([&log, &loop, number] {
                EXPECT_EQ(event_loop::current(), &loop);
                log.push_back(number);
            });
        }
        loop.post([&] { finished.set(); });
    });
    loop.run(wait_on(finished));
    ASSERT_EQ(log.size(), 10'000U);
    EXPECT_TRUE(std::ranges::is_sorted(log));
}

TEST(PostTest, ManyThreadsPostThroughASmallInboxAndNothingIsLost) {
    for (const std::size_t capacity : {1U, 2U, 3U}) {
        event_loop_options options;
        options.inbox_capacity = capacity;
        event_loop loop(options);
        constexpr std::size_t threads = 4;
        constexpr std::size_t posts = 500;
        latch done(threads * posts);
        std::vector<std::jthread> posters;
        for (std::size_t thread = 0; thread < threads; ++thread) {
            posters.emplace_back([&] {
                for (std::size_t number = 0; number < posts; ++number) {
                    loop.post([&] { done.count_down(); });
                }
            });
        }
        loop.run(wait_on_latch(done));
        EXPECT_EQ(loop.counters().posts, threads * posts);
    }
}

TEST(PostTest, TryPostSaysNoToAFullInboxAndKeepsTheFunction) {
    event_loop_options options;
    options.inbox_capacity = 2;
    event_loop loop(options);
    int ran = 0;
    auto first = [&ran, owned = std::make_unique<int>(1)] { ran += *owned; };
    auto second = [&ran, owned = std::make_unique<int>(10)] { ran += *owned; };
    auto third = [&ran, owned = std::make_unique<int>(100)] { ran += *owned; };
    EXPECT_TRUE(loop.try_post(first));
    EXPECT_TRUE(loop.try_post(second));
    EXPECT_FALSE(loop.try_post(third));
    third();
    EXPECT_EQ(ran, 100) << "it is untouched";
    loop.run([]() -> task<> { co_await yield(); }());
    EXPECT_EQ(ran, 111);
    EXPECT_TRUE(loop.try_post(third));
    loop.run([]() -> task<> { co_await yield(); }());
    EXPECT_EQ(ran, 211);
}

task<std::error_code> overfill(event_loop& loop, int& ran) {
    try {
        for (int number = 0; number < 10; ++number) {
            loop.post([&ran] { ++ran; });
        }
    } catch (const std::system_error& error) {
        co_return error.code();
    }
    co_return std::error_code();
}

TEST(PostTest, TheLoopsOwnThreadIsRefusedInsteadOfBlocked) {
    event_loop_options options;
    options.inbox_capacity = 3;
    event_loop loop(options);
    int ran = 0;
    EXPECT_EQ(loop.run(overfill(loop, ran)), errc::inbox_full);
    loop.run([]() -> task<> { co_await yield(); }());
    EXPECT_EQ(ran, 3) << "what was taken is run";
}

TEST(PostTest, AnUrgentPostIsTakenBeyondTheCapacity) {
    event_loop_options options;
    options.inbox_capacity = 1;
    event_loop loop(options);
    int ran = 0;
    for (int number = 0; number < 10; ++number) {
        loop.post_urgent([&ran] { ++ran; });
    }
    loop.run([]() -> task<> { co_await yield(); }());
    EXPECT_EQ(ran, 10);
}

TEST(PostTest, ABlockedPostGoesOnWhenTheLoopHasDrained) {
    event_loop_options options;
    options.inbox_capacity = 1;
    event_loop loop(options);
    event finished;
    std::atomic<bool> blocked_post_returned{false};
    std::atomic<bool> first_posted{false};
    std::jthread poster([&] {
        loop.post([] {});
        first_posted.store(true, std::memory_order_release);
        first_posted.notify_one();
        loop.post([&] { finished.set(); });
        blocked_post_returned.store(true, std::memory_order_release);
    });
    first_posted.wait(false, std::memory_order_acquire);
    std::this_thread::yield();
    EXPECT_FALSE(blocked_post_returned.load(std::memory_order_acquire))
        << "nobody has drained the only place yet";
    loop.run(wait_on(finished));
    poster.join();
    EXPECT_TRUE(blocked_post_returned.load());
}

TEST(PostTest, APostedFunctionMayPost) {
    event_loop loop;
    event finished;
    std::vector<int> log;
    loop.post([&] {
        log.push_back(1);
        loop.post([&] {
            log.push_back(2);
            finished.set();
        });
    });
    loop.run(wait_on(finished));
    EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

TEST(PostTest, WhatIsPostedBeforeTheRunIsRunByIt) {
    event_loop loop;
    event flag;
    loop.post([&] { flag.set(); });
    loop.run(wait_on(flag));
    EXPECT_TRUE(flag.is_set());
}

TEST(PostTest, WhatIsNeverRunIsDestroyedWithTheLoop) {
    auto alive = std::make_shared<int>(1);
    {
        event_loop loop;
        loop.post([kept = alive] { static_cast<void>(kept); });
        EXPECT_EQ(alive.use_count(), 2);
    }
    EXPECT_EQ(alive.use_count(), 1);
}

TEST(PostTest, AFunctionIsDestroyedRightAfterItHasRun) {
    event_loop loop;
    auto alive = std::make_shared<int>(1);
    event finished;
    loop.post([kept = alive] { static_cast<void>(kept); });
    loop.post([&] {
        EXPECT_EQ(alive.use_count(), 1);
        finished.set();
    });
    loop.run(wait_on(finished));
}

TEST(PostTest, AnUndisturbedLoopIsNotWoken) {
    event_loop loop;
    event flag;
    loop.post([&] { flag.set(); });
    loop.run(wait_on(flag));
    EXPECT_EQ(loop.counters().wakes, 0U) << "it was awake, so no system call was made";
}

TEST(PostDeathTest, APostedFunctionThatThrowsEndsTheProcess) {
    EXPECT_DEATH(
        {
            event_loop loop;
            loop.post([] { throw 1; });
            loop.run([]() -> task<> { co_await yield(); }());
        },
        "");
}

}  // namespace
}  // namespace weir
