// Backpressure for threads that submit: a counted number of jobs may be on their way from threads
// into a pool; a thread that finds no place waits.
//
// Thread: acquire, try_acquire and release_unless_closed any; the rest the loop's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace weir::detail {

class thread_gate {
  public:
    explicit thread_gate(std::size_t capacity) noexcept : capacity_(capacity) {}
    thread_gate(const thread_gate&) = delete;
    thread_gate& operator=(const thread_gate&) = delete;
    // Waits for the threads that close() has woken and that have not left yet.
    ~thread_gate() {
        std::unique_lock lock(mutex_);
        left_.wait(lock, [this] { return waiting_ == 0; });
    }

    // Waits for a place. False when the gate is closed.
    [[nodiscard]] bool acquire() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        room_.wait(lock, [this] { return closed_ || taken_ < capacity_; });
        if (--waiting_ == 0 && closed_) {
            left_.notify_one();  // under the lock: the gate may go as soon as it is free
        }
        return take_locked();
    }

    // False when the gate is closed or full; `closed` tells which.
    [[nodiscard]] bool try_acquire(bool& closed) {
        const std::scoped_lock lock(mutex_);
        closed = closed_;
        return take_locked();
    }

    void release() noexcept {
        {
            const std::scoped_lock lock(mutex_);
            --taken_;
        }
        room_.notify_one();
    }

    // Gives a place back unless the gate is closed: then somebody on the loop may wait for it.
    [[nodiscard]] bool release_unless_closed() noexcept {
        const std::scoped_lock lock(mutex_);
        if (closed_) {
            return false;
        }
        --taken_;
        room_.notify_one();  // under the lock: the gate may go as soon as it is free
        return true;
    }

    void close() noexcept {
        {
            const std::scoped_lock lock(mutex_);
            closed_ = true;
        }
        room_.notify_all();
    }

    // Jobs on their way, and whether there is none.
    [[nodiscard]] std::size_t taken() noexcept {
        const std::scoped_lock lock(mutex_);
        return taken_;
    }
    [[nodiscard]] bool idle() noexcept { return taken() == 0; }

  private:
    bool take_locked() noexcept {
        if (closed_ || taken_ >= capacity_) {
            return false;
        }
        ++taken_;
        return true;
    }

    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable room_;
    std::condition_variable left_;
    std::size_t taken_ = 0;
    std::size_t waiting_ = 0;  // threads inside acquire()
    bool closed_ = false;
};

}  // namespace weir::detail
