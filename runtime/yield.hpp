// co_await weir::yield(): lets everything run that is ready now, then goes on. For long
// computations that share their loop.
//
//     for (int step = 0; step < steps; ++step) {
//         compute(step);
//         co_await weir::yield();
//     }
//
// Throws weir::canceled when the task is stopped, before or meanwhile.
//
// Thread: the loop's.
#pragma once

#include "result.hpp"
#include "task.hpp"

namespace weir {

class [[nodiscard]] yield_awaiter : private detail::ready_node {
  public:
    yield_awaiter() noexcept = default;

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        owner = &task.promise().context();
        if (owner->stop_requested()) [[unlikely]] {
            return false;
        }
        handle = task;
        owner->loop().make_ready(*this);
        return true;
    }

    void await_resume() const {
        if (owner->stop_requested()) [[unlikely]] {
            throw canceled();
        }
    }
};

[[nodiscard]] inline yield_awaiter yield() noexcept { return {}; }

}  // namespace weir
