// Waits until a pool is idle: the end of drain() and of stop(), and of with_pool, which must not
// need memory for that. Thread: the loop's.
#pragma once

#include <coroutine>

#include "../../runtime/detail/wait_list.hpp"
#include "pool_core.hpp"

namespace weir::detail {

class [[nodiscard]] idle_awaiter : private listed_waiter {
  public:
    // With `stoppable`, a stop of the waiting task ends the wait by weir::canceled.
    idle_awaiter(pool_core& target, bool stoppable) noexcept
        : target_(target), stoppable_(stoppable) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr wait_kind drain{"a pool's drain", &cancel_in_list};
        static constexpr wait_kind stop{"a pool's stop", nullptr};
        if (target_.idle()) {
            return false;
        }
        context& waiting = task.promise().context();
        if (stoppable_) {
            return wait_in(target_.idle_waiters_, *this, waiting, task, drain);
        }
        suspend(waiting, task, stop);
        target_.idle_waiters_.push_back(*this);
        return true;
    }

    void await_resume() const {
        if (was_canceled) [[unlikely]] {
            throw canceled();
        }
    }

  private:
    pool_core& target_;
    bool stoppable_;
};

}  // namespace weir::detail
