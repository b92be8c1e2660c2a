#include <gtest/gtest.h>

#include <chrono>

#include <weir/runtime/clock.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;

TEST(ClockTest, AnOverflowingSumStaysAtTheEndOfTheRange) {
    EXPECT_EQ(saturating_add(time_point::max(), 1ns), time_point::max());
    EXPECT_EQ(saturating_add(time_point(1ns), duration::max()), time_point::max());
    EXPECT_EQ(saturating_add(time_point::min(), -1ns), time_point::min());
    EXPECT_EQ(saturating_add(time_point(-1ns), duration::min()), time_point::min());
}

TEST(ClockTest, ASumWithinTheRangeIsExact) {
    EXPECT_EQ(saturating_add(time_point(5s), 3ns), time_point(5s + 3ns));
    EXPECT_EQ(saturating_add(time_point(5s), -6s), time_point(-1s));
    EXPECT_EQ(saturating_add(time_point::max(), -1ns), time_point::max() - 1ns);
    EXPECT_EQ(saturating_add(time_point(0ns), duration::max()), time_point::max());
}

TEST(ManualClockTest, StartsAtOneHour) {
    const manual_clock clock;
    EXPECT_EQ(clock.now(), time_point(1h));
}

TEST(ManualClockTest, StandsStillUntilItIsAdvanced) {
    manual_clock clock;
    EXPECT_EQ(clock.now(), clock.now());
    clock.advance(250ms);
    EXPECT_EQ(clock.now(), time_point(1h + 250ms));
    clock.advance(0ns);
    EXPECT_EQ(clock.now(), time_point(1h + 250ms));
}

TEST(ManualClockTest, AdvanceToAnEarlierTimeChangesNothing) {
    manual_clock clock;
    clock.advance_to(time_point(2h));
    EXPECT_EQ(clock.now(), time_point(2h));
    clock.advance_to(time_point(90min));
    EXPECT_EQ(clock.now(), time_point(2h));
}

TEST(ManualClockTest, StopsAtTheEndOfTime) {
    manual_clock clock;
    clock.advance(duration::max());
    EXPECT_EQ(clock.now(), time_point::max());
}

TEST(ManualClockTest, AdvancesByItselfUnlessToldNotTo) {
    manual_clock clock;
    EXPECT_TRUE(clock.auto_advance());
    clock.set_auto_advance(false);
    EXPECT_FALSE(clock.auto_advance());
}

TEST(ManualClockDeathTest, GoingBackwardsEndsTheProcess) {
    manual_clock clock;
    EXPECT_DEATH(clock.advance(-1ns), "a manual clock only moves forward");
}

}  // namespace
}  // namespace weir
