// A FIFO of waiting tasks, and the awaiter of tools whose only state beside it is such a list.
#pragma once

#include "../result.hpp"
#include "../task.hpp"

namespace weir::detail {

using wait_list = intrusive_list<listed_waiter>;

// Wakes the first; requires a non-empty list.
inline void wake_first(wait_list& waiters) noexcept { waiters.pop_front().wake(); }

inline void wake_all(wait_list& waiters) noexcept {
    while (!waiters.empty()) {
        wake_first(waiters);
    }
}

// Suspends `self` at the end of `waiters` unless the task was stopped. Returns whether it did.
inline bool wait_in(wait_list& waiters, listed_waiter& self, context& task,
                    std::coroutine_handle<> resume, const wait_kind& kind) noexcept {
    if (task.stop_requested()) [[unlikely]] {
        self.was_canceled = true;
        return false;
    }
    self.suspend(task, resume, kind);
    waiters.push_back(self);
    return true;
}

}  // namespace weir::detail
