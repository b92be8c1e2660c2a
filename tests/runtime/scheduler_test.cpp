#include <gtest/gtest.h>

#include <chrono>
#include <coroutine>
#include <thread>
#include <vector>

#include <weir/runtime/scheduler.hpp>
#include <weir/runtime/this_task.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

struct bare_loop : scheduler {
    using scheduler::budget_;
    using scheduler::counters_;
    using scheduler::next_;
    using scheduler::ready_;
    using scheduler::timers_;
};

struct silent_timer : detail::timer_node {
    silent_timer() : timer_node(&count) {}
    static void count(timer_node& self) noexcept { ++static_cast<silent_timer&>(self).fired; }
    int fired = 0;
};

TEST(SchedulerTest, WhatIsReadyRunsInTheOrderOfItsWakes) {
    bare_loop loop;
    detail::ready_node first;
    detail::ready_node second;
    loop.make_ready(first);
    loop.make_ready(second);
    EXPECT_EQ(&loop.ready_.pop(), &first);
    EXPECT_EQ(&loop.ready_.pop(), &second);
}

TEST(SchedulerTest, ArmedAndDisarmedTimersAreCounted) {
    bare_loop loop;
    silent_timer timer;
    loop.arm(timer, time_point(5s));
    EXPECT_EQ(loop.counters_.timers_armed, 1U);
    EXPECT_EQ(loop.timers_.size(), 1U);
    loop.disarm(timer);
    EXPECT_EQ(loop.counters_.timers_canceled, 1U);
    EXPECT_EQ(loop.timers_.size(), 0U);
}

TEST(SchedulerTest, DisarmingATimerThatIsNotArmedDoesNothing) {
    bare_loop loop;
    silent_timer timer;
    loop.disarm(timer);
    EXPECT_EQ(loop.counters_.timers_canceled, 0U);
    loop.arm(timer, time_point(5s));
    loop.timers_.advance(time_point(6s));
    EXPECT_EQ(timer.fired, 1);
    loop.disarm(timer);
    EXPECT_EQ(loop.counters_.timers_canceled, 0U);
    EXPECT_EQ(loop.timers_.size(), 0U);
}

TEST(SchedulerTest, TheBudgetOfATickEnds) {
    bare_loop loop;
    loop.budget_ = 2;
    EXPECT_TRUE(loop.take_budget());
    EXPECT_TRUE(loop.take_budget());
    EXPECT_FALSE(loop.take_budget());
    EXPECT_FALSE(loop.take_budget());
}

// A coroutine that notes when it is resumed and destroys itself.
struct note {
    struct promise_type {
        note get_return_object() {
            return note{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<> handle;
};

note make_note(std::vector<int>& log, int number) {
    log.push_back(number);
    co_return;
}

TEST(SchedulerTest, OneContinuationIsKeptAndTheOneBeforeItRunsAtOnce) {
    bare_loop loop;
    std::vector<int> log;
    loop.resume_next(make_note(log, 1).handle);
    EXPECT_TRUE(log.empty());
    loop.resume_next(make_note(log, 2).handle);
    EXPECT_EQ(log, std::vector<int>{1});
    std::exchange(loop.next_, nullptr).resume();
    EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

task<const scheduler*> current_scheduler() { co_return scheduler::current(); }

TEST(SchedulerTest, TheCurrentLoopIsKnownInsideOfRunOnly) {
    test::virtual_loop on;
    EXPECT_EQ(scheduler::current(), nullptr);
    EXPECT_EQ(on.run(current_scheduler()), &on.loop());
    EXPECT_EQ(scheduler::current(), nullptr);
}

task<const scheduler*> current_on_other_thread() {
    const scheduler* seen = scheduler::current();
    std::jthread([&seen] { seen = scheduler::current(); }).join();
    co_return seen;
}

TEST(SchedulerTest, ALoopIsCurrentOnItsOwnThreadOnly) {
    EXPECT_EQ(test::run_test(current_on_other_thread()), nullptr);
}

task<> compare_running(int& compared) {
    detail::context_awaiter first;
    EXPECT_EQ(scheduler::current()->running(), &co_await first);
    co_await yield();
    detail::context_awaiter second;
    EXPECT_EQ(scheduler::current()->running(), &co_await second);
    ++compared;
}

task<> compare_running_everywhere(int& compared) {
    scope s;
    s.spawn(compare_running(compared));
    s.spawn(compare_running(compared));
    co_await compare_running(compared);
    co_await s.join();
    co_await compare_running(compared);
}

TEST(SchedulerTest, TheRunningTaskIsTheOneThatAsks) {
    int compared = 0;
    test::run_test(compare_running_everywhere(compared));
    EXPECT_EQ(compared, 4);
}

// Goes on right after what runs now, ahead of the ready queue.
class [[nodiscard]] soon_awaiter : private detail::ready_node {
  public:
    soon_awaiter() noexcept = default;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <detail::weir_promise Promise>
    void await_suspend(std::coroutine_handle<Promise> task) noexcept {
        owner = &task.promise().context();
        handle = task;
        owner->loop().make_ready_soon(*this);
    }
    void await_resume() const noexcept {}
};

task<> log_twice_soon(std::vector<int>& log) {
    log.push_back(1);
    co_await soon_awaiter();
    log.push_back(2);
    co_await soon_awaiter();
    log.push_back(3);
}

task<> log_number(std::vector<int>& log, int number) {
    log.push_back(number);
    co_return;
}

task<> log_soon_and_ordinary(std::vector<int>& log) {
    scope s;
    s.spawn(log_twice_soon(log));
    s.spawn(log_number(log, 10));
    s.spawn(log_number(log, 20));
    co_await s.join();
}

TEST(SchedulerTest, WhatIsReadySoonRunsNextButTakesTurnsWithTheQueue) {
    std::vector<int> log;
    test::run_test(log_soon_and_ordinary(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2, 10, 3, 20}));
}

task<> soon_until(const bool* done) {
    while (!*done) {
        co_await soon_awaiter();
    }
}

task<> work_beside_soon(bool& done) {
    scope s;
    s.spawn(soon_until(&done));
    for (int turn = 0; turn < 1000; ++turn) {
        co_await yield();
    }
    co_await sleep_for(1us);
    done = true;
    co_await s.join();
}

TEST(SchedulerTest, WhoIsAlwaysReadySoonStarvesNeitherTasksNorTimers) {
    bool done = false;
    event_loop loop;
    loop.run(work_beside_soon(done));
    EXPECT_TRUE(done);
}

task<> read_times(manual_clock& clock) {
    scheduler& loop = *scheduler::current();
    const time_point start = loop.now();
    EXPECT_EQ(loop.tick_time(), start);
    clock.advance(3ms);
    EXPECT_EQ(loop.now(), start + 3ms);
    EXPECT_EQ(loop.tick_time(), start) << "the tick's time stands still within a tick";
    co_await yield();
    EXPECT_EQ(loop.tick_time(), start + 3ms);
}

TEST(SchedulerTest, TheTickTimeIsReadOncePerTick) {
    event_loop_options options;
    options.tick_budget = 1;
    test::virtual_loop on(options);
    on.run(read_times(on.clock()));
}

}  // namespace
}  // namespace weir
