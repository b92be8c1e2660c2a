// The promises of task<T>: the context that awaits inherit, who continues at the end, the result.
//
// Fields, and who may write them:
//   context_       the awaiter or root that starts the task, once, before the first resume
//   continuation_  the same, after the first resume has returned without reaching the end (a task
//                  that ends within its first resume has nobody to continue: its awaiter goes on);
//                  a starter that wants the frame gone with the end sets it before that resume
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

// What becomes of a task that ends within its first resume, told to its starter. The frame destroys
// itself then, which spares the way through its destroy function.
struct first_step {
    bool ended = false;
    std::exception_ptr error;  // what the body threw
};

// Who goes on when a task has ended: nobody yet, a parent coroutine, a root context, or whoever
// looks at a first_step. One word: the two lowest bits tell which, all are aligned to more.
class continuation {
  public:
    continuation() noexcept = default;
    explicit continuation(std::coroutine_handle<> parent) noexcept
        : bits_(reinterpret_cast<std::uintptr_t>(parent.address())) {}
    explicit continuation(context& root) noexcept
        : bits_(reinterpret_cast<std::uintptr_t>(&root) | root_bit) {}
    explicit continuation(first_step& starter) noexcept
        : bits_(reinterpret_cast<std::uintptr_t>(&starter) | starter_bit) {}

    [[nodiscard]] bool is_starter() const noexcept { return (bits_ & starter_bit) != 0; }
    [[nodiscard]] first_step& starter() const noexcept {
        return *reinterpret_cast<first_step*>(bits_ - starter_bit);
    }

    // Requires !is_starter().
    void run(scheduler& loop) const noexcept {
        if (bits_ == 0) {
            return;
        }
        if ((bits_ & root_bit) == 0) {
            loop.resume_next(std::coroutine_handle<>::from_address(reinterpret_cast<void*>(bits_)));
        } else {
            reinterpret_cast<context*>(bits_ - root_bit)->on_done();
        }
    }

  private:
    static constexpr std::uintptr_t root_bit = 1;
    static constexpr std::uintptr_t starter_bit = 2;

    std::uintptr_t bits_ = 0;
};

class promise_base : public recycled {
  public:
    promise_base(const promise_base&) = delete;
    promise_base& operator=(const promise_base&) = delete;

    struct final_awaiter {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        // False: the coroutine goes on beyond its end, which destroys its frame.
        template <std::derived_from<promise_base> Promise>
        bool await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            const Promise& promise = ended.promise();
            const continuation next = promise.continuation_;
            if (next.is_starter()) {
                first_step& step = next.starter();
                step.ended = true;
                if (promise.failed()) [[unlikely]] {
                    step.error = promise.error();
                }
                return false;
            }
            next.run(promise.context_->loop());
            return true;
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
        requires(!std::is_reference_v<T>) && std::convertible_to<U, T>
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
