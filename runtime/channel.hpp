// channel<T>: a bounded FIFO between tasks of one loop; a full channel makes its senders wait.
//
//     weir::channel<int> numbers(8);
//     co_await numbers.send(1);                                  // waits while it is full
//     while (auto number = co_await numbers.receive()) {         // ends when closed and empty
//         use(*number);
//     }
//
// Capacity 0 is a rendezvous: a send ends when a receiver has taken the value. close() lets
// receivers drain what was sent; nothing that a send() has completed for is dropped. Senders that
// still wait at close() fail, and so do later ones.
//
// Invariants: receivers wait only while the buffer is empty and no sender waits; senders wait only
// while the buffer is full. A value that was handed to a receiver stays handed: a stop that comes
// after that does not undo it.
// Errors: send() throws std::system_error (errc::channel_closed); both throw weir::canceled when
// their task is stopped, and the value is then not sent.
// Memory: the buffer is allocated once, in the constructor (std::bad_alloc).
// Lifetime: nobody waits when it is destroyed. Thread: one loop's.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include "detail/wait_list.hpp"

namespace weir {

template <class T>
class channel {
    static_assert(std::is_nothrow_move_constructible_v<T>,
                  "channel<T> moves values between tasks where an exception would lose them");

  public:
    // `capacity` is how many values it holds, 0 or more.
    explicit channel(std::size_t capacity)
        : capacity_(capacity),
          buffer_(capacity == 0 ? nullptr : std::allocator<T>().allocate(capacity)) {}
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;
    ~channel() {
        WEIR_ASSERT(senders_.empty() && receivers_.empty(),
                    "a channel outlives the tasks that wait for it");
        while (size_ != 0) {
            static_cast<void>(pop());
        }
        if (capacity_ != 0) {
            std::allocator<T>().deallocate(buffer_, capacity_);
        }
    }

    class send_awaiter;
    class receive_awaiter;

    // Waits until the value is in the channel or with a receiver.
    [[nodiscard]] send_awaiter send(T value) { return send_awaiter(*this, std::move(value)); }

    // Waits for a value; empty when the channel is closed and drained.
    [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }

    // False, and `value` untouched, when the channel is full or closed.
    [[nodiscard]] bool try_send(T& value) noexcept {
        if (closed_ || !accept(value)) {
            return false;
        }
        return true;
    }

    // Empty when nothing is there.
    [[nodiscard]] std::optional<T> try_receive() noexcept {
        std::optional<T> value;
        static_cast<void>(take(value));
        return value;
    }

    // Idempotent.
    void close() noexcept {
        closed_ = true;
        while (!senders_.empty()) {
            auto& sender = static_cast<send_awaiter&>(senders_.pop_front());
            sender.refused_ = true;
            sender.wake();
        }
        detail::wake_all(receivers_);
    }

    [[nodiscard]] bool closed() const noexcept { return closed_; }
    // Values in the buffer, 0 to capacity().
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  private:
    void push(T&& value) noexcept {
        std::construct_at(buffer_ + (first_ + size_) % capacity_, std::move(value));
        ++size_;
    }

    T pop() noexcept {
        T* const place = buffer_ + first_;
        T value = std::move(*place);
        std::destroy_at(place);
        first_ = first_ + 1 == capacity_ ? 0 : first_ + 1;
        --size_;
        return value;
    }

    // Gives `value` to a receiver or to the buffer; false where neither has room.
    bool accept(T& value) noexcept {
        if (!receivers_.empty()) {
            auto& receiver = static_cast<receive_awaiter&>(receivers_.pop_front());
            receiver.value_.emplace(std::move(value));
            receiver.wake();
            return true;
        }
        if (size_ < capacity_) {
            push(std::move(value));
            return true;
        }
        return false;
    }

    // Takes the oldest value, and lets the first waiting sender move up.
    bool take(std::optional<T>& value) noexcept {
        if (size_ != 0) {
            value.emplace(pop());
            if (!senders_.empty()) {
                push(std::move(next_sender().value_));
            }
            return true;
        }
        if (!senders_.empty()) {
            value.emplace(std::move(next_sender().value_));
            return true;
        }
        return false;
    }

    send_awaiter& next_sender() noexcept {
        auto& sender = static_cast<send_awaiter&>(senders_.pop_front());
        sender.wake();
        return sender;
    }

    const std::size_t capacity_;
    T* const buffer_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
    bool closed_ = false;
    detail::wait_list senders_;
    detail::wait_list receivers_;
};

template <class T>
class [[nodiscard]] channel<T>::send_awaiter : private detail::listed_waiter {
  public:
    send_awaiter(channel& target, T value) noexcept : target_(target), value_(std::move(value)) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr detail::wait_kind kind{"channel send", &cancel_in_list};
        context& waiting = task.promise().context();
        if (!waiting.stop_requested()) {
            if (target_.closed_) {
                refused_ = true;
                return false;
            }
            if (target_.accept(value_)) {
                return false;
            }
        }
        return wait_in(target_.senders_, *this, waiting, task, kind);
    }

    void await_resume() const {
        if (was_canceled) [[unlikely]] {
            throw canceled();
        }
        if (refused_) [[unlikely]] {
            throw std::system_error(make_error_code(errc::channel_closed), "channel::send");
        }
    }

  private:
    friend class channel;

    channel& target_;
    T value_;
    bool refused_ = false;
};

template <class T>
class [[nodiscard]] channel<T>::receive_awaiter : private detail::listed_waiter {
  public:
    explicit receive_awaiter(channel& source) noexcept : source_(source) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr detail::wait_kind kind{"channel receive", &cancel_in_list};
        context& waiting = task.promise().context();
        if (!waiting.stop_requested() && (source_.take(value_) || source_.closed_)) {
            return false;
        }
        return wait_in(source_.receivers_, *this, waiting, task, kind);
    }

    std::optional<T> await_resume() {
        if (was_canceled) [[unlikely]] {
            throw canceled();
        }
        return std::move(value_);
    }

  private:
    friend class channel;

    channel& source_;
    std::optional<T> value_;
};

}  // namespace weir
