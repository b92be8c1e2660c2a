#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include <weir/runtime/timer_wheel.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using detail::timer_wheel;

constexpr duration granule(1 << timer_wheel::granule_bits);

struct log_timer : detail::timer_node {
    log_timer(std::vector<int>& where, int name) : timer_node(&write), log(&where), number(name) {}
    static void write(timer_node& self) noexcept {
        auto& timer = static_cast<log_timer&>(self);
        EXPECT_FALSE(timer.is_linked()) << "a timer fires unlinked";
        timer.log->push_back(timer.number);
    }
    std::vector<int>* log;
    int number;
};

TEST(TimerWheelTest, AnEmptyWheelHasNothingToDo) {
    timer_wheel wheel;
    EXPECT_EQ(wheel.size(), 0U);
    EXPECT_EQ(wheel.next_event(), std::nullopt);
    EXPECT_EQ(wheel.advance(time_point(1h)), 0U);
}

TEST(TimerWheelTest, ATimerIsPendingBeforeItsDeadlineAndFiresAtIt) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer timer(log, 1);
    wheel.insert(timer, time_point(5s));
    EXPECT_EQ(wheel.next_event(), time_point(5s));
    EXPECT_EQ(wheel.advance(time_point(5s - 1ns)), 0U);
    EXPECT_TRUE(log.empty());
    EXPECT_EQ(wheel.size(), 1U);
    EXPECT_EQ(wheel.advance(time_point(5s)), 1U);
    EXPECT_EQ(log, std::vector<int>{1});
    EXPECT_EQ(wheel.size(), 0U);
    EXPECT_EQ(wheel.next_event(), std::nullopt);
}

TEST(TimerWheelTest, EveryDistanceIsExactToTheNanosecond) {
    for (unsigned bit = 1; bit < 62; ++bit) {
        for (const duration beside : {-1ns, 0ns, 1ns}) {
            timer_wheel wheel;
            std::vector<int> log;
            log_timer timer(log, 1);
            const time_point deadline(duration(std::int64_t{3} << (bit - 1)) + beside);
            wheel.insert(timer, deadline);
            EXPECT_EQ(wheel.advance(deadline - 1ns), 0U) << "bit " << bit;
            EXPECT_EQ(wheel.next_event(), deadline) << "bit " << bit;
            EXPECT_EQ(wheel.advance(deadline), 1U) << "bit " << bit;
        }
    }
}

TEST(TimerWheelTest, TheEndOfTimeIsADeadlineLikeAnyOther) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer last(log, 1);
    wheel.insert(last, time_point::max());
    EXPECT_EQ(wheel.next_event(), time_point::max());
    EXPECT_EQ(wheel.advance(time_point(24h * 365 * 200)), 0U);
    EXPECT_EQ(wheel.advance(time_point::max()), 1U);
}

TEST(TimerWheelTest, AnEarlierTimerGoesFirstWhateverTheOrderOfArming) {
    timer_wheel wheel;
    std::vector<int> log;
    std::deque<log_timer> timers;
    const std::vector<duration> deadlines{10ns, 3ns, 3h, 7ms, 2s, 70us, 5ns, 6ns};
    for (int index = 0; index < 8; ++index) {
        timers.emplace_back(log, index);
    }
    for (std::size_t index = 0; index < 8; ++index) {
        wheel.insert(timers[index], time_point(deadlines[index]));
    }
    EXPECT_EQ(wheel.advance(time_point(4h)), 8U);
    EXPECT_EQ(log, (std::vector<int>{1, 6, 7, 0, 5, 3, 4, 2}));
}

TEST(TimerWheelTest, EqualDeadlinesFireInTheOrderOfArming) {
    // The second half is armed when less time is left.
    for (const duration left : std::vector<duration>{10us, 1ms, 50ms, 120ms, 133ms, 1s, 1min}) {
        timer_wheel wheel;
        std::vector<int> log;
        std::deque<log_timer> timers;
        for (int index = 0; index < 200; ++index) {
            timers.emplace_back(log, index);
        }
        const time_point deadline(1h);
        for (std::size_t index = 0; index < 100; ++index) {
            wheel.insert(timers[index], deadline);
        }
        EXPECT_EQ(wheel.advance(deadline - left), 0U);
        for (std::size_t index = 100; index < 200; ++index) {
            wheel.insert(timers[index], deadline);
        }
        EXPECT_EQ(wheel.advance(deadline), 200U);
        EXPECT_TRUE(std::ranges::is_sorted(log)) << left.count() << " ns left";
        EXPECT_EQ(log.size(), 200U);
    }
}

TEST(TimerWheelTest, ADeadlineInThePastFiresAtTheNextAdvance) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer past(log, 1);
    log_timer before_the_epoch(log, 2);
    wheel.advance(time_point(1h));
    wheel.insert(past, time_point(30min));
    wheel.insert(before_the_epoch, time_point(-5s));
    EXPECT_LE(wheel.next_event(), time_point(1h));
    EXPECT_EQ(wheel.advance(time_point(1h)), 2U);
    EXPECT_EQ(log, (std::vector<int>{2, 1}));
}

TEST(TimerWheelTest, TimeDoesNotGoBackwards) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer timer(log, 1);
    wheel.advance(time_point(1h));
    EXPECT_EQ(wheel.advance(time_point(1min)), 0U);
    wheel.insert(timer, time_point(1h + 1s));
    EXPECT_EQ(wheel.advance(time_point(1min)), 0U);
    EXPECT_EQ(wheel.next_event(), time_point(1h + 1s));
    EXPECT_EQ(wheel.advance(time_point(1h + 1s)), 1U);
}

TEST(TimerWheelTest, ARemovedTimerDoesNotFire) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer kept(log, 1);
    log_timer removed(log, 2);
    wheel.insert(kept, time_point(5s));
    wheel.insert(removed, time_point(4s));
    EXPECT_EQ(wheel.next_event(), time_point(4s));
    wheel.remove(removed);
    EXPECT_EQ(wheel.size(), 1U);
    EXPECT_EQ(wheel.next_event(), time_point(5s));
    EXPECT_EQ(wheel.advance(time_point(10s)), 1U);
    EXPECT_EQ(log, std::vector<int>{1});
}

// Removes another timer when it fires.
struct removing_timer : detail::timer_node {
    explicit removing_timer(timer_wheel& from) : timer_node(&fire_once), wheel(from) {}
    static void fire_once(timer_node& self) noexcept {
        auto& timer = static_cast<removing_timer&>(self);
        if (timer.other->is_linked()) {
            timer.wheel.remove(*timer.other);
        }
    }
    timer_wheel& wheel;
    detail::timer_node* other = nullptr;
};

TEST(TimerWheelTest, AFiringTimerMayRemoveAnotherOfTheSameMoment) {
    timer_wheel wheel;
    std::vector<int> log;
    removing_timer first(wheel);
    log_timer second(log, 2);
    log_timer third(log, 3);
    first.other = &second;
    wheel.insert(first, time_point(1ms));
    wheel.insert(second, time_point(1ms));
    wheel.insert(third, time_point(1ms));
    EXPECT_EQ(wheel.advance(time_point(1ms)), 2U);
    EXPECT_EQ(log, std::vector<int>{3});
    EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheelTest, ATimerMayBeArmedAgainWhenItHasFired) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer timer(log, 1);
    for (int round = 1; round <= 100; ++round) {
        wheel.insert(timer, time_point(round * 999us));
        EXPECT_EQ(wheel.advance(time_point(round * 999us)), 1U);
    }
    EXPECT_EQ(log.size(), 100U);
}

TEST(TimerWheelTest, OneSlotMayHoldDueAndLaterTimers) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer due(log, 1);
    log_timer later(log, 2);
    wheel.insert(later, time_point(200ns));
    wheel.insert(due, time_point(100ns));
    EXPECT_EQ(wheel.advance(time_point(100ns)), 1U);
    EXPECT_EQ(log, std::vector<int>{1});
    EXPECT_EQ(wheel.next_event(), time_point(200ns));
    EXPECT_EQ(wheel.advance(time_point(200ns)), 1U);
}

TEST(TimerWheelTest, TheNextEventIsTheFirstDeadlineOfASlot) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer second(log, 2);
    log_timer first(log, 1);
    wheel.insert(second, time_point(3 * granule - 1ns));
    wheel.insert(first, time_point(2 * granule + 1ns));
    EXPECT_EQ(wheel.next_event(), time_point(2 * granule + 1ns));
    EXPECT_EQ(wheel.advance(*wheel.next_event()), 1U);
    EXPECT_EQ(wheel.next_event(), time_point(3 * granule - 1ns));
    EXPECT_EQ(wheel.advance(*wheel.next_event()), 1U);
    EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

TEST(TimerWheelTest, TheNextEventFollowsWhatIsArmedAndRemoved) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer late(log, 3);
    log_timer middle(log, 2);
    log_timer early(log, 1);
    wheel.insert(late, time_point(2 * granule + 30ns));
    EXPECT_EQ(wheel.next_event(), time_point(2 * granule + 30ns));
    wheel.insert(middle, time_point(2 * granule + 20ns));
    EXPECT_EQ(wheel.next_event(), time_point(2 * granule + 20ns));
    wheel.insert(early, time_point(2 * granule + 10ns));
    EXPECT_EQ(wheel.next_event(), time_point(2 * granule + 10ns));
    wheel.remove(early);
    EXPECT_LE(*wheel.next_event(), time_point(2 * granule + 20ns));
    EXPECT_EQ(wheel.advance(time_point(2 * granule + 10ns)), 0U);
    EXPECT_EQ(wheel.next_event(), time_point(2 * granule + 20ns));
    EXPECT_EQ(wheel.advance(*wheel.next_event()), 1U);
    EXPECT_EQ(wheel.next_event(), time_point(2 * granule + 30ns));
    EXPECT_EQ(wheel.advance(*wheel.next_event()), 1U);
    EXPECT_EQ(log, (std::vector<int>{2, 3}));
}

// Else an idle loop would turn without end.
TEST(TimerWheelTest, ASlotOfTheNextTurnDoesNotRememberWhatWasRemoved) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer removed(log, 1);
    log_timer next(log, 2);
    wheel.insert(removed, time_point(2 * granule));
    EXPECT_EQ(wheel.next_event(), time_point(2 * granule));
    wheel.remove(removed);
    EXPECT_EQ(wheel.advance(time_point(10 * granule)), 0U);
    const time_point deadline(granule * (2 + static_cast<int>(timer_wheel::near_slots)));
    wheel.insert(next, deadline);
    EXPECT_EQ(wheel.next_event(), deadline);
    EXPECT_EQ(wheel.advance(deadline), 1U);
}

TEST(TimerWheelTest, TheNextEventOfADistantTimerIsItsDeadline) {
    timer_wheel wheel;
    std::vector<int> log;
    log_timer timer(log, 1);
    const time_point deadline(10s + 1ns);
    wheel.insert(timer, deadline);
    EXPECT_EQ(wheel.next_event(), deadline);
    EXPECT_EQ(wheel.advance(*wheel.next_event()), 1U);
}

TEST(TimerWheelTest, AHundredThousandTimersFireInOrder) {
    timer_wheel wheel;
    std::vector<int> log;
    std::deque<log_timer> timers;
    constexpr int count = 100'000;
    for (int index = 0; index < count; ++index) {
        timers.emplace_back(log, index);
    }
    // Armed in a scattered order; 7919 and the count have no common factor.
    for (std::size_t step = 0; step < count; ++step) {
        const std::size_t index = step * 7919 % count;
        wheel.insert(timers[index], time_point(static_cast<int>(index) * 37us));
    }
    std::size_t fired = 0;
    for (time_point now{}; wheel.size() != 0; now += 11ms) {
        fired += wheel.advance(now);
    }
    EXPECT_EQ(fired, static_cast<std::size_t>(count));
    EXPECT_TRUE(std::ranges::is_sorted(log));
}

}  // namespace
}  // namespace weir
