// The promises of task<T>: the context that awaits inherit, who continues at the end, the result.
//
// Fields, and who may write them:
//   context_       the awaiter or root that starts the task, once, before the first resume
//   continuation_  the same, after the first resume has returned without reaching the end (a task
//                  that ends within its first resume has nobody to continue: its awaiter goes on)
//   the result     the coroutine, once, through return_value, return_void or unhandled_exception
//
// Thread: the loop's.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "../frame_allocator.hpp"
#include "../scheduler.hpp"

namespace weir {

template <class T>
class task;

namespace detail {

struct task_access;

// Ends the process with a message that names the task.
[[noreturn]] void destroyed_while_running(const context& owner) noexcept;

// Who goes on when a task has ended: nobody yet, a parent coroutine, or a root context. One word:
// the lowest bit tells a context from a coroutine frame, both are aligned to more than one byte.
class continuation {
  public:
    continuation() noexcept = default;
    explicit continuation(std::coroutine_handle<> parent) noexcept
        : bits_(reinterpret_cast<std::uintptr_t>(parent.address())) {}
    explicit continuation(context& root) noexcept
        : bits_(reinterpret_cast<std::uintptr_t>(&root) | 1U) {}

    void run(scheduler& loop) const noexcept {
        if (bits_ == 0) {
            return;
        }
        if ((bits_ & 1U) == 0) {
            loop.resume_next(std::coroutine_handle<>::from_address(reinterpret_cast<void*>(bits_)));
        } else {
            reinterpret_cast<context*>(bits_ & ~std::uintptr_t{1})->on_done();
        }
    }

  private:
    std::uintptr_t bits_ = 0;
};

class promise_base : public recycled {
  public:
    promise_base(const promise_base&) = delete;
    promise_base& operator=(const promise_base&) = delete;

    struct final_awaiter {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <std::derived_from<promise_base> Promise>
        void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            const promise_base& promise = ended.promise();
            promise.continuation_.run(promise.context_->loop());
        }
        void await_resume() const noexcept {}
    };

    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] final_awaiter final_suspend() const noexcept { return {}; }

    [[nodiscard]] weir::context& context() const noexcept { return *context_; }
    [[nodiscard]] weir::context* context_ptr() const noexcept { return context_; }
    void set_context(weir::context& owner) noexcept { context_ = &owner; }
    void set_continuation(continuation next) noexcept { continuation_ = next; }

  protected:
    promise_base() noexcept = default;
    ~promise_base() = default;

  private:
    weir::context* context_ = nullptr;
    continuation continuation_;
};

// What an awaitable of this library can be awaited from: a weir::task.
template <class Promise>
concept weir_promise = std::derived_from<Promise, promise_base>;

enum class outcome : std::uint8_t { none, value, error };

// A value of T (a pointer where T is a reference) or an exception.
template <class T>
class promise final : public promise_base {
    using stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;

  public:
    promise() noexcept {}
    ~promise() {
        if (outcome_ == outcome::value) {
            std::destroy_at(&value_);
        } else if (outcome_ == outcome::error) {
            std::destroy_at(&error_);
        }
    }

    task<T> get_return_object() noexcept;

    template <class U = T>
        requires(!std::is_reference_v<T>) && std::constructible_from<T, U>
    void return_value(U&& value) noexcept(std::is_nothrow_constructible_v<T, U>) {
        std::construct_at(&value_, std::forward<U>(value));
        outcome_ = outcome::value;
    }

    void return_value(T value) noexcept
        requires std::is_reference_v<T>
    {
        value_ = std::addressof(value);
        outcome_ = outcome::value;
    }

    void unhandled_exception() noexcept {
        std::construct_at(&error_, std::current_exception());
        outcome_ = outcome::error;
    }

    [[nodiscard]] bool failed() const noexcept { return outcome_ == outcome::error; }
    [[nodiscard]] std::exception_ptr error() const noexcept { return failed() ? error_ : nullptr; }

    // Moves the value out, or rethrows.
    T take() {
        if (outcome_ == outcome::error) [[unlikely]] {
            std::rethrow_exception(std::exchange(error_, nullptr));
        }
        WEIR_DEBUG_ASSERT(outcome_ == outcome::value, "the result of a task that has not ended");
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(*value_);
        } else {
            return std::move(value_);
        }
    }

  private:
    union {
        stored value_;
        std::exception_ptr error_;
    };
    outcome outcome_ = outcome::none;
};

template <>
class promise<void> final : public promise_base {
  public:
    task<void> get_return_object() noexcept;
    void return_void() noexcept {}
    void unhandled_exception() noexcept { error_ = std::current_exception(); }
    [[nodiscard]] bool failed() const noexcept { return error_ != nullptr; }
    [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }

    void take() {
        if (error_) [[unlikely]] {
            std::rethrow_exception(std::exchange(error_, nullptr));
        }
    }

  private:
    std::exception_ptr error_;
};

}  // namespace detail
}  // namespace weir
