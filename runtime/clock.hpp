// Time as the runtime sees it: a steady clock in nanoseconds, and a manual one for tests.
//
// Only a driver reads the machine's clock; everything above it asks the loop (`loop.now()`), so the
// same code runs on virtual time:
//
//     weir::manual_clock clock;
//     weir::event_loop_options options;
//     options.clock = &clock;
//     weir::event_loop loop(options);  // a million sleeps of five seconds end at once
#pragma once

#include <chrono>

#include "assert.hpp"

namespace weir {

using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

// `start` plus `length`, held at the ends of the range instead of overflowing.
[[nodiscard]] constexpr time_point saturating_add(time_point start, duration length) noexcept {
    duration::rep sum = 0;
    if (__builtin_add_overflow(start.time_since_epoch().count(), length.count(), &sum)) {
        return length.count() < 0 ? time_point::min() : time_point::max();
    }
    return time_point(duration(sum));
}

// A clock that moves only when told to, or when a loop that uses it has nothing left to run: the
// loop then jumps to its next deadline (auto advance, on by default). Starts at one hour.
//
// Lifetime: outlives every loop that uses it. Thread: the thread of those loops.
class manual_clock {
  public:
    manual_clock() = default;

    [[nodiscard]] time_point now() const noexcept { return now_; }

    // Moves time forward; `length` is not negative. Timers that are due fire in the next tick.
    void advance(duration length) noexcept {
        WEIR_ASSERT(length >= duration::zero(), "a manual clock only moves forward");
        now_ = saturating_add(now_, length);
    }

    // Moves time to `target` unless it is later already.
    void advance_to(time_point target) noexcept {
        if (target > now_) {
            now_ = target;
        }
    }

    // With auto advance off, an idle loop waits for I/O or a post from another thread.
    void set_auto_advance(bool enabled) noexcept { auto_advance_ = enabled; }
    [[nodiscard]] bool auto_advance() const noexcept { return auto_advance_; }

  private:
    time_point now_{std::chrono::hours(1)};
    bool auto_advance_ = true;
};

}  // namespace weir
