// Sleeping: co_await weir::sleep_for(10ms), co_await weir::sleep_until(deadline).
//
// A sleep never ends early; on a real clock sleeps that end within the same 65.5 us share a
// wake-up. Both throw weir::canceled when the task is stopped, before or during the sleep. A length
// of zero or less, or a deadline that has passed, ends at once, without a turn of the loop (use
// yield() for that).
//
// Thread: the loop's.
#pragma once

#include "result.hpp"
#include "task.hpp"

namespace weir {

class [[nodiscard]] sleep_awaiter : private detail::waiter {
  public:
    explicit sleep_awaiter(duration length) noexcept : time_(length), timer_(*this) {}
    explicit sleep_awaiter(time_point deadline) noexcept
        : time_(deadline.time_since_epoch()), timer_(*this), absolute_(true) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        return start(task.promise().context(), task);
    }

    void await_resume() const {
        if (was_canceled) [[unlikely]] {
            throw canceled();
        }
    }

  private:
    struct sleep_timer : detail::timer_node {
        explicit sleep_timer(sleep_awaiter& sleep) noexcept : timer_node(&fired), owner(&sleep) {}
        static void fired(timer_node& timer) noexcept {
            static_cast<sleep_timer&>(timer).owner->wake();
        }
        sleep_awaiter* owner;
    };

    bool start(context& task, std::coroutine_handle<> resume) noexcept {
        static constexpr detail::wait_kind kind{"sleep", &cancel};
        if (task.stop_requested()) [[unlikely]] {
            was_canceled = true;
            return false;
        }
        if (!absolute_ && time_ <= duration::zero()) {
            return false;
        }
        scheduler& loop = task.loop();
        const time_point now = loop.now();
        const time_point deadline = absolute_ ? time_point(time_) : saturating_add(now, time_);
        if (deadline <= now) {
            return false;
        }
        suspend(task, resume, kind);
        loop.arm(timer_, deadline);
        return true;
    }

    static void cancel(detail::waiter& self) noexcept {
        auto& sleep = static_cast<sleep_awaiter&>(self);
        sleep.owner->loop().disarm(sleep.timer_);
        sleep.was_canceled = true;
        sleep.wake();
    }

    duration time_;  // a length, or where absolute_ is set a deadline since the clock's epoch
    sleep_timer timer_;
    bool absolute_ = false;
};

[[nodiscard]] inline sleep_awaiter sleep_for(duration length) noexcept {
    return sleep_awaiter(length);
}

[[nodiscard]] inline sleep_awaiter sleep_until(time_point deadline) noexcept {
    return sleep_awaiter(deadline);
}

}  // namespace weir
