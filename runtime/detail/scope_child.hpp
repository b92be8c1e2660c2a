// The record of a child of a scope: its context, and what starts and ends its body.
//
// A child whose turn comes right after that of the child before it needs no record of its own until
// it suspends: it waits behind the other's record, linked through its own promise, and is started
// on that record as soon as the one before has ended. A thousand children that end within their
// first resume so share one record, in the order and with the fairness of a thousand.
//
// States: spare (no body; in scope::spare_) -> queued (take; in the ready queue, where others may
// follow) -> running (start) -> waiting, until on_done, or spare again. Thread: the loop's.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>

#include "../context.hpp"
#include "../frame_allocator.hpp"
#include "promise.hpp"

namespace weir {

class scope;

namespace detail {

// What a body has come to when its first resume returns.
enum class begun : std::uint8_t {
    ended,   // and its frame is gone
    failed,  // and its frame holds the error
    waiting,
};

// How the bodies of one type begin and end.
struct child_type {
    begun (*begin)(scope_child& record, promise_base& body) noexcept;
    // Destroys a body that has ended or was not begun; returns what it threw.
    std::exception_ptr (*end)(promise_base& body) noexcept;
};

class scope_child final : public context, public recycled {
  public:
    explicit scope_child(scope& owner) noexcept;

    // Makes a spare record that of `body`. `name` is static storage or null.
    void take(promise_base& body, const child_type& type, const char* name) noexcept {
        type_ = &type;
        body_ = &body;
        set_name(name);
    }

    // Lets `body` wait behind this queued record.
    void follow(promise_base& body, const child_type& type) noexcept {
        body.park(type);
        (last_ != nullptr ? last_->parked().next : next_) = &body;
        last_ = &body;
    }

    void discard() noexcept { delete this; }

    void start() noexcept override;
    void on_done() noexcept override;
    [[nodiscard]] bool is_spare() const noexcept override { return body_ == nullptr; }
    [[nodiscard]] std::size_t followers() const noexcept override;

  private:
    ~scope_child() override { detach(); }

    [[nodiscard]] bool runs_to_its_end() noexcept;
    void end_body() noexcept;
    void take_next() noexcept;
    void pass_on() noexcept;

    scope& owner_;
    const child_type* type_ = nullptr;
    promise_base* body_ = nullptr;
    promise_base* next_ = nullptr;  // the first that follows
    promise_base* last_ = nullptr;  // null where nobody follows
};

template <class T>
begun begin_child(scope_child& record, promise_base& body) noexcept {
    auto& own = static_cast<promise<T>&>(body);
    const auto handle = std::coroutine_handle<promise<T>>::from_promise(own);
    first_step step;
    own.set_running(record, continuation(step));
    handle.resume();
    if (step.ended) [[likely]] {
        return begun::ended;
    }
    if (handle.done()) [[unlikely]] {
        return begun::failed;
    }
    own.set_continuation(continuation(record));
    return begun::waiting;
}

template <class T>
std::exception_ptr end_child(promise_base& body) noexcept {
    auto& own = static_cast<promise<T>&>(body);
    std::exception_ptr error = own.error();
    std::coroutine_handle<promise<T>>::from_promise(own).destroy();
    return error;
}

template <class T>
inline constexpr child_type child_type_of{&begin_child<T>, &end_child<T>};

}  // namespace detail
}  // namespace weir
