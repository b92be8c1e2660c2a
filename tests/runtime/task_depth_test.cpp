// Long loops and deep chains of awaits: neither grows the stack, at any optimisation level.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include <weir/runtime/event.hpp>
#include <weir/runtime/task.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

// Where the stack stands. Addresses are compared, never followed.
[[gnu::noinline]] std::uintptr_t stack_position() {
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

// The distance between the highest and the lowest position that was noted.
class stack_gauge {
  public:
    void note() {
        const std::uintptr_t at = stack_position();
        lowest_ = std::min(lowest_, at);
        highest_ = std::max(highest_, at);
    }
    [[nodiscard]] std::size_t bytes() const { return highest_ - lowest_; }

  private:
    std::uintptr_t lowest_ = UINTPTR_MAX;
    std::uintptr_t highest_ = 0;
};

// What a few nested calls take, with room for what sanitizers add to each.
constexpr std::size_t few_calls = 16 * 1024;

task<int> give(int number, stack_gauge& gauge) {
    gauge.note();
    co_return number;
}

task<std::int64_t> sum_of(int count, stack_gauge& gauge) {
    std::int64_t sum = 0;
    for (int number = 0; number < count; ++number) {
        sum += co_await give(number, gauge);
    }
    co_return sum;
}

TEST(TaskDepthTest, AMillionAwaitsThatEndAtOnceDoNotGrowTheStack) {
    stack_gauge gauge;
    EXPECT_EQ(test::run_test(sum_of(1'000'000, gauge)), 499'999'500'000);
    EXPECT_LT(gauge.bytes(), few_calls);
}

task<int> give_or_fail(int number) {
    if (number % 2 != 0) {
        throw std::runtime_error("odd");
    }
    co_return number;
}

task<int> count_failures(int count) {
    int failures = 0;
    for (int number = 0; number < count; ++number) {
        try {
            co_await give_or_fail(number);
        } catch (const std::runtime_error&) {
            ++failures;
        }
    }
    co_return failures;
}

TEST(TaskDepthTest, TenThousandAwaitsThatFailAtOnceEndAsWell) {
    EXPECT_EQ(test::run_test(count_failures(20'000)), 10'000);
}

task<std::int64_t> sum_of_set(int count, event& flag, stack_gauge& gauge) {
    std::int64_t sum = 0;
    for (int number = 0; number < count; ++number) {
        co_await flag.wait();
        gauge.note();
        sum += number;
    }
    co_return sum;
}

TEST(TaskDepthTest, AMillionWaitsForWhatIsThereDoNotGrowTheStack) {
    event flag;
    flag.set();
    stack_gauge gauge;
    EXPECT_EQ(test::run_test(sum_of_set(1'000'000, flag, gauge)), 499'999'500'000);
    EXPECT_LT(gauge.bytes(), few_calls);
}

// Each level suspends before it awaits the next, so no level stands on the stack of another.
task<int> descend(int levels, stack_gauge& gauge) {
    co_await yield();
    gauge.note();
    const int below = levels == 0 ? 0 : co_await descend(levels - 1, gauge);
    gauge.note();
    co_return below + 1;
}

TEST(TaskDepthTest, AHundredThousandLevelsUnwindOnAFlatStack) {
    stack_gauge gauge;
    EXPECT_EQ(test::run_test(descend(100'000, gauge)), 100'001);
    EXPECT_LT(gauge.bytes(), few_calls);
}

task<int> descend_and_fail(int levels, stack_gauge& gauge) {
    co_await yield();
    if (levels == 0) {
        throw std::runtime_error("at the bottom");
    }
    const int below = co_await descend_and_fail(levels - 1, gauge);
    gauge.note();
    co_return below;
}

TEST(TaskDepthTest, AnExceptionRisesThroughTenThousandLevels) {
    stack_gauge gauge;
    EXPECT_THROW(test::run_test(descend_and_fail(10'000, gauge)), std::runtime_error);
}

task<> wait_at_the_bottom(int levels, event& flag, int& unwound) {
    if (levels == 0) {
        co_await flag.wait();
    } else {
        co_await yield();
        co_await wait_at_the_bottom(levels - 1, flag, unwound);
    }
    ++unwound;
}

task<> wake_the_bottom(int levels, int& unwound) {
    event flag;
    scope s;
    s.spawn(wait_at_the_bottom(levels, flag, unwound));
    co_await test::settle();
    EXPECT_EQ(unwound, 0);
    flag.set();
    co_await s.join();
}

TEST(TaskDepthTest, AChainWaitsForItsBottomAndThenUnwinds) {
    int unwound = 0;
    test::run_test(wake_the_bottom(1000, unwound));
    EXPECT_EQ(unwound, 1001);
}

TEST(TaskDepthTest, AStopReachesTheBottomOfAChain) {
    event flag;
    int unwound = 0;
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(wait_at_the_bottom(1000, flag, unwound))),
              test::ending::canceled);
    EXPECT_EQ(unwound, 0);
}

}  // namespace
}  // namespace weir
