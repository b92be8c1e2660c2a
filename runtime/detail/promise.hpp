// The promises of task<T>: the context that awaits inherit, who continues at the end, the result.
//
// Fields, and who may write them:
//   parked_           a scope, of a body that it owns and has not started
//   running_.context  the awaiter or root that starts the task, once, before the first resume
//   running_.next     the same, before that resume, where the task is to tell it of an end within
//                     it, or to go on with a root; else after it, if the task has not ended
//   the result        the coroutine, once, through return_value, return_void or unhandled_exception
//
// Thread: the loop's.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "../frame_allocator.hpp"
#include "../scheduler.hpp"

namespace weir {

template <class T>
class task;

namespace detail {

struct task_access;
struct child_type;
class scope_child;

// Ends the process with a message that names the task.
[[noreturn]] void destroyed_while_running(const context& owner) noexcept;

// Whether a task has ended well within its first resume, told to its starter. The frame has
// destroyed itself then, which spares the way through its destroy function; of a task that has
// failed it stays.
struct first_step {
    bool ended = false;
    void* value = nullptr;  // where the starter wants a value that is `handed_over`
};

// What a promise keeps of a T.
template <class T>
using kept_value = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;

// Values that cost nothing to hand over: a task of such a T ends in its starter's hands.
template <class T>
inline constexpr bool handed_over =
    std::is_trivially_copyable_v<kept_value<T>> && std::is_move_constructible_v<kept_value<T>> &&
    sizeof(kept_value<T>) <= 2 * sizeof(void*);
template <>
inline constexpr bool handed_over<void> = true;

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

// Room for a value that is handed over; none for what is not.
template <class T, bool = handed_over<T>>
class handed_value {};
template <>
class handed_value<void, true> {
  public:
    [[nodiscard]] void* address() noexcept { return nullptr; }
    void get() const noexcept {}
};
template <class T>
class handed_value<T, true> {
  public:
    [[nodiscard]] void* address() noexcept { return bytes_; }
    [[nodiscard]] T get() noexcept {
        auto& value = *std::launder(reinterpret_cast<kept_value<T>*>(bytes_));
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(*value);
        } else {
            return std::move(value);
        }
    }

  private:
    alignas(kept_value<T>) std::byte bytes_[sizeof(kept_value<T>)];
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
            Promise& promise = ended.promise();
            const continuation next = promise.running_.next;
            if (!next.is_starter()) {
                next.run(promise.running_.context->loop());
                return true;
            }
            if (promise.failed()) [[unlikely]] {
                return true;
            }
            first_step& step = next.starter();
            step.ended = true;
            promise.hand_over(step.value);
            return false;
        }
        void await_resume() const noexcept {}
    };

    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] final_awaiter final_suspend() const noexcept { return {}; }

    [[nodiscard]] weir::context& context() const noexcept { return *running_.context; }
    [[nodiscard]] weir::context* context_ptr() const noexcept { return running_.context; }
    void set_context(weir::context& owner) noexcept { running_.context = &owner; }
    void set_continuation(continuation next) noexcept { running_.next = next; }

    // Of a body whose turn comes after another's (scope_child.hpp); ends with set_running.
    struct place_in_line {
        const child_type* type;
        promise_base* next;
    };
    void park(const child_type& type) noexcept { parked_ = {&type, nullptr}; }
    [[nodiscard]] place_in_line& parked() noexcept { return parked_; }
    void set_running(weir::context& owner, continuation next) noexcept {
        std::construct_at(&running_, running{&owner, next});
    }

  protected:
    promise_base() noexcept : running_{nullptr, continuation()} {}
    ~promise_base() = default;

  private:
    struct running {
        weir::context* context;
        continuation next;
    };
    union {
        running running_;
        place_in_line parked_;
    };
};

// What an awaitable of this library can be awaited from: a weir::task.
template <class Promise>
concept weir_promise = std::derived_from<Promise, promise_base>;

enum class outcome : std::uint8_t { none, value, error };

// A value of T (a pointer where T is a reference) or an exception.
template <class T>
class promise final : public promise_base {
    using stored = kept_value<T>;

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

    // To the starter of a task that has ended well; null where it wants nothing.
    void hand_over(void* where) noexcept {
        if constexpr (handed_over<T>) {
            if (where != nullptr) {
                std::construct_at(static_cast<stored*>(where), std::move(value_));
            }
        }
    }

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
    void hand_over(void* /*where*/) const noexcept {}

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
