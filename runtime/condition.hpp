// condition: waiting for a change of state that a mutex protects.
//
//     auto guard = co_await m.lock();
//     while (queue.empty()) { co_await changed.wait(m, guard); }
//
// wait() unlocks, waits for a notification and locks again before it returns.
// A notification wakes who waits now and is not stored. One whose task is stopped before it has the
// lock again goes on to the next who waits, so that none is lost.
//
// Errors: wait() throws weir::canceled when its task is stopped; the guard then holds no lock.
// Lifetime: nobody waits when it is destroyed. Thread: one loop's.
#pragma once

#include "mutex.hpp"

namespace weir {

class condition {
  public:
    condition() = default;
    condition(const condition&) = delete;
    condition& operator=(const condition&) = delete;
    ~condition() { WEIR_ASSERT(waiters_.empty(), "a condition outlives those who wait for it"); }

    class notified_awaiter;

    // `guard` holds `m`; both outlive the wait.
    [[nodiscard]] task<> wait(mutex& m, mutex::guard& guard);

    void notify_one() noexcept {
        if (!waiters_.empty()) {
            detail::wake_first(waiters_);
        }
    }
    void notify_all() noexcept { detail::wake_all(waiters_); }

  private:
    detail::wait_list waiters_;
};

class [[nodiscard]] condition::notified_awaiter : private detail::listed_waiter {
  public:
    notified_awaiter(condition& target, mutex::guard& guard) noexcept
        : target_(target), guard_(guard) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr detail::wait_kind kind{"condition", &cancel_in_list};
        const bool waits = wait_in(target_.waiters_, *this, task.promise().context(), task, kind);
        guard_.release();
        return waits;
    }

    void await_resume() const {
        if (was_canceled) [[unlikely]] {
            throw canceled();
        }
    }

  private:
    condition& target_;
    mutex::guard& guard_;
};

// ref: the caller awaits at once, so its mutex and guard outlive the frame.
inline task<> condition::wait(mutex& m, mutex::guard& guard) {
    notified_awaiter notified(*this, guard);
    co_await notified;
    try {
        guard = co_await m.lock();
    } catch (const canceled&) {
        notify_one();
        throw;
    }
}

}  // namespace weir
