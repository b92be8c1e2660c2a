// semaphore: counted permits, handed out in the order of asking.
//
//     weir::semaphore connections(16);
//     auto permit = co_await connections.acquire();     // given back when `permit` dies
//
// A release hands its permits straight to those who wait, first come, first served: nobody who
// comes later gets in between, and a large request is not starved by small ones behind it. Once
// granted, permits stay granted: a stop that comes after the grant does not undo it, and the permit
// object gives them back.
//
// Note that a semaphore limits how many tasks run, not how many exist: see pool for that.
//
// Invariant: when somebody waits, fewer permits are available than the first one wants.
// Errors: acquire() throws weir::canceled when its task is stopped.
// Lifetime: outlives its permits; nobody waits when it is destroyed. Thread: one loop's.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "detail/wait_list.hpp"

namespace weir {

class semaphore {
  public:
    explicit semaphore(std::size_t permits) noexcept : available_(permits) {}
    semaphore(const semaphore&) = delete;
    semaphore& operator=(const semaphore&) = delete;
    ~semaphore() { WEIR_ASSERT(waiters_.empty(), "a semaphore outlives those who wait for it"); }

    class permit;
    class acquire_awaiter;

    // Waits until `count` permits (1 or more) are granted.
    [[nodiscard]] acquire_awaiter acquire(std::size_t count = 1) noexcept;

    // Takes the permits if they are there and nobody waits.
    [[nodiscard]] std::optional<permit> try_acquire(std::size_t count = 1) noexcept;

    // Adds permits. Permit objects call it; by hand it raises the total.
    void release(std::size_t count = 1) noexcept {
        available_ += count;
        grant();
    }

    [[nodiscard]] std::size_t available() const noexcept { return available_; }

  private:
    void grant() noexcept;
    [[nodiscard]] bool take(std::size_t count) noexcept {
        if (waiters_.empty() && available_ >= count) {
            available_ -= count;
            return true;
        }
        return false;
    }

    std::size_t available_;
    detail::wait_list waiters_;
};

// Permits held; gives them back when it dies.
class [[nodiscard]] semaphore::permit {
  public:
    permit() noexcept = default;
    permit(semaphore& owner, std::size_t count) noexcept : owner_(&owner), count_(count) {}
    permit(permit&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), count_(other.count_) {}
    permit& operator=(permit&& other) noexcept {
        if (this != &other) {
            release();
            owner_ = std::exchange(other.owner_, nullptr);
            count_ = other.count_;
        }
        return *this;
    }
    ~permit() { release(); }

    // Gives the permits back now. Idempotent.
    void release() noexcept {
        if (owner_ != nullptr) {
            std::exchange(owner_, nullptr)->release(count_);
        }
    }

  private:
    semaphore* owner_ = nullptr;
    std::size_t count_ = 0;
};

class [[nodiscard]] semaphore::acquire_awaiter : private detail::listed_waiter {
  public:
    acquire_awaiter(semaphore& owner, std::size_t count) noexcept : source_(owner), count_(count) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr detail::wait_kind kind{"semaphore", &cancel};
        context& waiting = task.promise().context();
        if (!waiting.stop_requested() && source_.take(count_)) {
            return false;
        }
        return wait_in(source_.waiters_, *this, waiting, task, kind);
    }

    permit await_resume() const {
        if (was_canceled) [[unlikely]] {
            throw canceled();
        }
        return permit(source_, count_);
    }

  private:
    friend class semaphore;

    // Whoever stood behind may fit now.
    static void cancel(waiter& self) noexcept {
        cancel_in_list(self);
        static_cast<acquire_awaiter&>(self).source_.grant();
    }

    semaphore& source_;
    std::size_t count_;
};

inline semaphore::acquire_awaiter semaphore::acquire(std::size_t count) noexcept {
    return acquire_awaiter(*this, count);
}

inline std::optional<semaphore::permit> semaphore::try_acquire(std::size_t count) noexcept {
    if (take(count)) {
        return permit(*this, count);
    }
    return std::nullopt;
}

inline void semaphore::grant() noexcept {
    while (!waiters_.empty()) {
        auto& first = static_cast<acquire_awaiter&>(waiters_.front());
        if (first.count_ > available_) {
            return;
        }
        available_ -= first.count_;
        detail::wake_first(waiters_);
    }
}

}  // namespace weir
