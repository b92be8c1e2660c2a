// A task that runs under a context of its own while its owner waits for it: what with_timeout,
// with_stop and run use to stop one part of a task and not the rest.
#pragma once

#include <utility>

#include "../task.hpp"

namespace weir::detail {

// Lives in its owner's frame; awaited once as `co_await child`, which ends when the task has ended
// and never throws; then take(). From the start to the end of the task it is a child of the context
// that awaits it.
template <class T>
class subtask final : public context {
  public:
    explicit subtask(task<T> body) noexcept
        : context(*scheduler::current()), handle_(task_access::release(body)) {
        WEIR_ASSERT(handle_, "a task that was moved from cannot run");
    }
    ~subtask() override {
        WEIR_ASSERT(handle_.done() || handle_.promise().context_ptr() == nullptr,
                    "a subtask has ended before its owner goes on");
        handle_.destroy();
    }

    class awaiter {
      public:
        explicit awaiter(subtask& child) noexcept : child_(child) {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <weir_promise Promise>
        bool await_suspend(std::coroutine_handle<Promise> parent) {
            return child_.run_under(parent.promise().context(), parent);
        }
        void await_resume() const noexcept {}

      private:
        subtask& child_;
    };

    [[nodiscard]] awaiter operator co_await() noexcept { return awaiter(*this); }

    void on_done() noexcept override {
        detach();
        owner_waiter_.wake();
    }

    [[nodiscard]] std::exception_ptr error() const noexcept { return handle_.promise().error(); }
    T take() { return handle_.promise().take(); }

  private:
    bool run_under(context& parent, std::coroutine_handle<> resume) {
        static constexpr wait_kind kind{"subtask", nullptr};  // ends when the stopped child has
        attach(parent);
        set_name(parent.name());
        handle_.promise().set_context(*this);
        context* const previous = loop().exchange_running(this);
        handle_.resume();
        loop().exchange_running(previous);
        if (handle_.done()) {
            detach();
            return false;
        }
        handle_.promise().set_continuation(continuation(*this));
        owner_waiter_.suspend(parent, resume, kind);
        return true;
    }

    std::coroutine_handle<promise<T>> handle_;
    waiter owner_waiter_;
};

// Whether `error` is a weir::canceled.
[[nodiscard]] bool is_canceled(const std::exception_ptr& error) noexcept;

}  // namespace weir::detail
