// Sleeping: co_await weir::sleep_for(10ms), co_await weir::sleep_until(deadline).
//
//     co_await weir::sleep_for(10ms);
//     co_await weir::sleep_until(deadline);
//
// A sleep never ends early; on a real clock it ends late by the thread's timer slack, 50 us unless
// set otherwise (PR_SET_TIMERSLACK in prctl(2)), and sleeps within that time share a wake-up. Both
// throw weir::canceled when the task is stopped, before or during the sleep. A length of zero or
// less, or a deadline that has passed, ends at once, without a turn of the loop (use yield() for
// that).
//
// Thread: the loop's.
#pragma once

#include "result.hpp"
#include "task.hpp"

namespace weir {

class [[nodiscard]] sleep_awaiter : private detail::waiter, private detail::timer_node {
  public:
    explicit sleep_awaiter(duration length) noexcept : timer_node(&fired) {
        deadline = time_point(length);  // made absolute by start()
    }
    explicit sleep_awaiter(time_point until) noexcept : timer_node(&fired), absolute_(true) {
        deadline = until;
    }

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
    bool start(context& task, std::coroutine_handle<> resume) noexcept {
        static constexpr detail::wait_kind kind{"sleep", &cancel};
        if (task.stop_requested()) [[unlikely]] {
            was_canceled = true;
            return false;
        }
        const duration length = deadline.time_since_epoch();
        if (!absolute_ && length <= duration::zero()) {
            return false;
        }
        scheduler& loop = task.loop();
        const time_point now = loop.now();
        const time_point until = absolute_ ? deadline : saturating_add(now, length);
        if (until <= now) {
            return false;
        }
        suspend(task, resume, kind);
        loop.arm(*this, until);
        return true;
    }

    // Who slept has probably left the cache, and others fire with it: everything of the task that
    // is needed when its turn comes is fetched now, and nothing here waits for its memory.
    static void fired(timer_node& timer) noexcept {
        auto& sleep = static_cast<sleep_awaiter&>(timer);
        sleep.wake_cold(*scheduler::current());
    }

    static void cancel(detail::waiter& self) noexcept {
        auto& sleep = static_cast<sleep_awaiter&>(self);
        sleep.owner->loop().disarm(sleep);
        sleep.was_canceled = true;
        sleep.wake();
    }

    bool absolute_ = false;
};

[[nodiscard]] inline sleep_awaiter sleep_for(duration length) noexcept {
    return sleep_awaiter(length);
}

[[nodiscard]] inline sleep_awaiter sleep_until(time_point deadline) noexcept {
    return sleep_awaiter(deadline);
}

}  // namespace weir
