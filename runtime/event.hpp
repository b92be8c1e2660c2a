// event: a flag that tasks wait for; it stays set until reset().
//
//     weir::event ready;
//     co_await ready.wait();   // at once when it is set
//
// Invariant: nobody waits while the event is set.
// Errors: wait() throws weir::canceled when its task is stopped.
// Lifetime: nobody waits when it is destroyed (asserted). Thread: one loop's.
#pragma once

#include "detail/wait_list.hpp"

namespace weir {

class event {
  public:
    event() = default;
    event(const event&) = delete;
    event& operator=(const event&) = delete;
    ~event() { WEIR_ASSERT(waiters_.empty(), "an event outlives the tasks that wait for it"); }

    // Wakes all who wait, in order; those who come later do not wait.
    void set() noexcept {
        set_ = true;
        detail::wake_all(waiters_);
    }

    void reset() noexcept { set_ = false; }
    [[nodiscard]] bool is_set() const noexcept { return set_; }

    class wait_awaiter;
    [[nodiscard]] wait_awaiter wait() noexcept;

  private:
    detail::wait_list waiters_;
    bool set_ = false;
};

class [[nodiscard]] event::wait_awaiter : private detail::listed_waiter {
  public:
    explicit wait_awaiter(event& target) noexcept : target_(target) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr detail::wait_kind kind{"event", &cancel_in_list};
        context& waiting = task.promise().context();
        if (target_.set_ && !waiting.stop_requested()) {
            return false;
        }
        return wait_in(target_.waiters_, *this, waiting, task, kind);
    }

    void await_resume() const {
        if (was_canceled) [[unlikely]] {
            throw canceled();
        }
    }

  private:
    event& target_;
};

inline event::wait_awaiter event::wait() noexcept { return wait_awaiter(*this); }

}  // namespace weir
