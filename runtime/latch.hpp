// latch: a counter that falls to zero once, and lets go of all who wait for that.
//
//     weir::latch done(3);
//     done.count_down();       // by each of three tasks
//     co_await done.wait();
//
// Errors: wait() throws weir::canceled when its task is stopped.
// Lifetime: nobody waits when it is destroyed. Thread: one loop's.
#pragma once

#include <cstddef>

#include "event.hpp"

namespace weir {

class latch {
  public:
    explicit latch(std::size_t count) noexcept : count_(count) {
        if (count_ == 0) {
            zero_.set();
        }
    }

    // Requires that at most count() is taken.
    void count_down(std::size_t by = 1) noexcept {
        WEIR_ASSERT(by <= count_, "a latch is not counted down below zero");
        count_ -= by;
        if (count_ == 0) {
            zero_.set();
        }
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    // Ends when the count is zero.
    [[nodiscard]] event::wait_awaiter wait() noexcept { return zero_.wait(); }

  private:
    std::size_t count_;
    event zero_;
};

}  // namespace weir
