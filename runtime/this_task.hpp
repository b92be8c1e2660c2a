// What a task can ask of itself.
//
//     for (bool stop = false; !stop; stop = co_await weir::stop_requested()) { step(); }
//     co_await weir::name_task("reader");   // how dump() and the stall detector call it
//
// Neither suspends. Thread: the loop's.
#pragma once

#include "task.hpp"

namespace weir {

namespace detail {

// Yields the context of the awaiting task.
class [[nodiscard]] context_awaiter {
  public:
    context_awaiter() noexcept = default;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        context_ = &task.promise().context();
        return false;
    }
    context& await_resume() const noexcept { return *context_; }

  private:
    context* context_ = nullptr;
};

}  // namespace detail

class [[nodiscard]] stop_requested_awaiter : private detail::context_awaiter {
  public:
    stop_requested_awaiter() noexcept = default;
    using detail::context_awaiter::await_ready;
    using detail::context_awaiter::await_suspend;
    bool await_resume() const noexcept { return context_awaiter::await_resume().stop_requested(); }
};

// Whether the surroundings have asked this task to stop.
[[nodiscard]] inline stop_requested_awaiter stop_requested() noexcept { return {}; }

class [[nodiscard]] name_task_awaiter : private detail::context_awaiter {
  public:
    explicit name_task_awaiter(const char* name) noexcept : name_(name) {}
    using detail::context_awaiter::await_ready;
    using detail::context_awaiter::await_suspend;
    void await_resume() const noexcept { context_awaiter::await_resume().set_name(name_); }

  private:
    const char* name_;
};

// Names the task that this one is the root or a part of. `name` is static storage, usually a
// literal.
[[nodiscard]] inline name_task_awaiter name_task(const char* name) noexcept {
    return name_task_awaiter(name);
}

}  // namespace weir
