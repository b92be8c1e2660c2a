// A warm loop allocates nothing: every tool is used once to warm up, and then counted.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>

#include <weir/runtime/channel.hpp>
#include <weir/runtime/condition.hpp>
#include <weir/runtime/event.hpp>
#include <weir/runtime/nop.hpp>
#include <weir/runtime/semaphore.hpp>
#include <weir/runtime/when_all.hpp>
#include <weir/runtime/when_any.hpp>
#include <weir/runtime/with_timeout.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

// The allocations of `rounds` runs of `work` after two that warm up.
template <class Work>
task<std::size_t> allocations_of(Work work, int rounds) {
    for (int round = 0; round < 2; ++round) {
        co_await work();
    }
    const test::allocation_counter counter;
    for (int round = 0; round < rounds; ++round) {
        co_await work();
    }
    co_return counter.allocations();
}

template <class Work>
std::size_t warm_allocations(Work work) {
    return test::run_test(allocations_of(work, 100));
}

task<int> give(int number) { co_return number; }

task<> await_children() {
    int sum = 0;
    for (int number = 0; number < 10; ++number) {
        sum += co_await give(number);
    }
    EXPECT_EQ(sum, 45);
}

task<> nap() { co_await sleep_for(1ms); }

task<> spawn_and_join() {
    scope s;
    for (int number = 0; number < 10; ++number) {
        s.spawn(nap());
    }
    co_await s.join();
}

task<> yield_some() {
    for (int turn = 0; turn < 10; ++turn) {
        co_await yield();
    }
}

task<> nop_some() {
    for (int turn = 0; turn < 10; ++turn) {
        EXPECT_TRUE(co_await nop());
    }
}

task<> send_ten(channel<int>& to) {
    for (int number = 0; number < 10; ++number) {
        co_await to.send(number);
    }
}

// In a channel made before the count: its buffer is allocated once.
task<> pass_values(channel<int>& pipe) {
    scope s;
    s.spawn(send_ten(pipe));
    for (int number = 0; number < 10; ++number) {
        EXPECT_EQ(co_await pipe.receive(), number);
    }
    co_await s.join();
}

task<> take_turns(semaphore& limit) {
    const semaphore::permit held = co_await limit.acquire();
    co_await yield();
}

task<> share_a_semaphore() {
    semaphore limit(2);
    scope s;
    for (int number = 0; number < 10; ++number) {
        s.spawn(take_turns(limit));
    }
    co_await s.join();
}

task<> wait_on(event& flag) { co_await flag.wait(); }

task<> set_an_event() {
    event flag;
    scope s;
    for (int number = 0; number < 10; ++number) {
        s.spawn(wait_on(flag));
    }
    co_await yield();
    flag.set();
    co_await s.join();
}

task<> wait_for_change(mutex& m, condition& changed) {
    mutex::guard guard = co_await m.lock();
    co_await changed.wait(m, guard);
}

task<> notify_a_condition() {
    mutex m;
    condition changed;
    scope s;
    s.spawn(wait_for_change(m, changed));
    s.spawn(wait_for_change(m, changed));
    co_await yield();
    co_await yield();
    changed.notify_all();
    co_await s.join();
}

task<> time_out() {
    co_await with_timeout(1s, nap());
    try {
        co_await with_timeout(1us, nap());
    } catch (const timed_out&) {
    }
}

task<> combine() {
    co_await when_all(nap(), give(1));
    co_await when_any(nap(), give(2));
}

task<> stop_ten() {
    scope s;
    for (int number = 0; number < 10; ++number) {
        s.spawn(nap());
    }
    co_await yield();
    s.request_stop();
    co_await s.join();
}

TEST(WarmLoopTest, TheCounterSeesAnAllocation) {
    EXPECT_EQ(warm_allocations([]() -> task<> {
                  int* volatile made = new int(1);  // volatile: or both may be left out
                  delete made;
                  co_return;
              }),
              100U);
}

TEST(WarmLoopTest, AwaitingChildrenAllocatesNothing) {
    EXPECT_EQ(warm_allocations(await_children), 0U);
}

TEST(WarmLoopTest, SpawningAndJoiningAllocatesNothing) {
    EXPECT_EQ(warm_allocations(spawn_and_join), 0U);
}

TEST(WarmLoopTest, SleepingAllocatesNothing) { EXPECT_EQ(warm_allocations(nap), 0U); }

TEST(WarmLoopTest, YieldingAllocatesNothing) { EXPECT_EQ(warm_allocations(yield_some), 0U); }

TEST(WarmLoopTest, ARoundTripThroughTheKernelAllocatesNothing) {
    EXPECT_EQ(warm_allocations(nop_some), 0U);
}

TEST(WarmLoopTest, AChannelAllocatesNothingAfterItsConstruction) {
    for (const std::size_t capacity : {0U, 1U, 8U}) {
        channel<int> pipe(capacity);
        const auto pass = [&pipe] { return pass_values(pipe); };
        EXPECT_EQ(warm_allocations(pass), 0U) << "capacity " << capacity;
    }
}

TEST(WarmLoopTest, ASemaphoreAllocatesNothing) {
    EXPECT_EQ(warm_allocations(share_a_semaphore), 0U);
}

TEST(WarmLoopTest, AnEventAllocatesNothing) { EXPECT_EQ(warm_allocations(set_an_event), 0U); }

TEST(WarmLoopTest, AConditionAllocatesNothing) {
    EXPECT_EQ(warm_allocations(notify_a_condition), 0U);
}

TEST(WarmLoopTest, ATimeoutAllocatesNothing) { EXPECT_EQ(warm_allocations(time_out), 0U); }

TEST(WarmLoopTest, WhenAllAndWhenAnyAllocateNothing) { EXPECT_EQ(warm_allocations(combine), 0U); }

TEST(WarmLoopTest, AStopAllocatesNothing) { EXPECT_EQ(warm_allocations(stop_ten), 0U); }

TEST(WarmLoopTest, ARunAllocatesNothing) {
    test::virtual_loop on;
    on.run(nap());
    on.run(nap());
    const test::allocation_counter counter;
    for (int round = 0; round < 100; ++round) {
        on.run(nap());
    }
    EXPECT_EQ(counter.allocations(), 0U);
}

}  // namespace
}  // namespace weir
