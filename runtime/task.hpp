// task<T>: a lazy coroutine that is awaited once.
//
//     weir::task<int> twice(int x) { co_return 2 * x; }
//     weir::task<int> four_times(int x) { co_return 2 * co_await twice(x); }
//
// Nothing runs until the task is awaited, spawned in a scope, submitted to a pool or given to
// weir::run. Awaiting runs it in place, on the awaiter's stack, until it suspends for the first
// time; a task that ends without suspending costs no detour through the loop, and a loop over a
// million such tasks does not grow the stack, whatever the optimisation level.
//
// States of a task, and who moves it: created (by calling the coroutine function) -> started (by
// its awaiter or root context, which sets the promise's context) -> done (by final suspension).
// A task may be destroyed before it was started or when it is done; destroying one that was
// started and has not ended is a programmer's error and ends the process, because something in
// the kernel or in another task may still point into its frame.
//
// Memory: the frame comes from the thread's recycled blocks (frame_allocator.hpp). An await takes
// it over; frame and parameters may be gone when it returns, so a task yields no view of a
// parameter that it has by value. Errors: an exception that leaves the coroutine is rethrown by the
// await. Thread: a task is created anywhere, and started, resumed and destroyed on its loop's
// thread.
#pragma once

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

#include "detail/promise.hpp"

namespace weir {

template <class T = void>
class [[nodiscard]] task {
  public:
    using value_type = T;
    using promise_type = detail::promise<T>;

    task() noexcept = default;
    task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            destroy();
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }
    ~task() { destroy(); }

    // False for a task that was awaited, moved from or default constructed.
    [[nodiscard]] bool valid() const noexcept { return handle_ != nullptr; }

    class awaiter;
    // Runs the task to its end and returns its value or rethrows its exception.
    // Requires valid(), and that it was not awaited before.
    [[nodiscard]] awaiter operator co_await() && noexcept {
        return awaiter(std::exchange(handle_, nullptr));
    }

  private:
    friend promise_type;
    friend struct detail::task_access;
    using handle_type = std::coroutine_handle<promise_type>;

    explicit task(handle_type handle) noexcept : handle_(handle) {}

    void destroy() noexcept {
        if (handle_) {
            destroy(handle_);
        }
    }
    static void destroy(handle_type handle) noexcept {
        if (!handle.done() && handle.promise().context_ptr() != nullptr) [[unlikely]] {
            detail::destroyed_while_running(*handle.promise().context_ptr());
        }
        handle.destroy();
    }

    handle_type handle_;
};

// Owns the frame, unless that ended within its first resume: then only the value is left, here.
template <class T>
class [[nodiscard]] task<T>::awaiter {
  public:
    explicit awaiter(handle_type child) noexcept : child_(child) {}
    awaiter(const awaiter&) = delete;
    awaiter& operator=(const awaiter&) = delete;
    ~awaiter() {
        if (child_) {
            destroy(child_);
        }
    }

    [[nodiscard]] bool await_ready() const noexcept {
        WEIR_ASSERT(child_, "a task is awaited once, and not after it was moved from");
        return false;
    }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) {
        auto& promise = child_.promise();
        promise.set_context(parent.promise().context());
        if constexpr (detail::handed_over<T>) {
            detail::first_step step;
            step.value = value_.address();
            promise.set_continuation(detail::continuation(step));
            child_.resume();
            if (step.ended) [[likely]] {
                child_ = nullptr;
                return false;
            }
        } else {
            child_.resume();
        }
        if (child_.done()) {
            return false;
        }
        promise.set_continuation(detail::continuation(parent));
        return true;
    }

    T await_resume() {
        if constexpr (detail::handed_over<T>) {
            if (!child_) {
                return value_.get();
            }
        }
        return child_.promise().take();
    }

  private:
    handle_type child_;
    [[no_unique_address]] detail::handed_value<T> value_;
};

namespace detail {

// What scopes, pools and loops need of a task that ordinary users do not.
struct task_access {
    template <class T>
    static std::coroutine_handle<promise<T>> release(task<T>& owner) noexcept {
        return std::exchange(owner.handle_, nullptr);
    }

    template <class T>
    static std::coroutine_handle<promise<T>> handle(const task<T>& owner) noexcept {
        return owner.handle_;
    }

    template <class T>
    static task<T> from_promise(promise<T>& promise) noexcept {
        return task<T>(std::coroutine_handle<detail::promise<T>>::from_promise(promise));
    }
};

template <class T>
task<T> promise<T>::get_return_object() noexcept {
    return task_access::from_promise(*this);
}

inline task<void> promise<void>::get_return_object() noexcept {
    return task_access::from_promise(*this);
}

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

}  // namespace detail
}  // namespace weir
