#include "inbox.hpp"

#include <system_error>

#include "result.hpp"

namespace weir {

void inbox::announce(std::unique_lock<std::mutex>& lock) noexcept {
    // Pairs with the acquire load in maybe_nonempty().
    nonempty_.store(true, std::memory_order_release);
    const bool wake = std::exchange(sleeping_, false);
    lock.unlock();
    if (wake) {
        io_.wake();
    }
}

void inbox::push(entry function, bool on_loop_thread) {
    std::unique_lock lock(mutex_);
    if (posted_.size() >= capacity_) {
        if (on_loop_thread) {
            throw std::system_error(
                make_error_code(errc::inbox_full),
                "post from a loop's thread with inbox_capacity " + std::to_string(capacity_));
        }
        ++blocked_;
        room_.wait(lock, [this] { return posted_.size() < capacity_; });
        --blocked_;
    }
    posted_.push_back(std::move(function));
    announce(lock);
}

void inbox::push_urgent(entry function) {
    std::unique_lock lock(mutex_);
    posted_.push_back(std::move(function));
    announce(lock);
}

std::size_t inbox::drain() noexcept {
    bool notify = false;
    {
        const std::scoped_lock lock(mutex_);
        draining_.swap(posted_);
        // Ordered by the mutex; the flag is only a hint.
        nonempty_.store(false, std::memory_order_relaxed);
        notify = blocked_ > 0;
    }
    if (notify) {
        room_.notify_all();
    }
    for (entry& function : draining_) {
        function();
        function = nullptr;
    }
    const std::size_t count = draining_.size();
    draining_.clear();
    return count;
}

bool inbox::prepare_to_sleep() noexcept {
    const std::scoped_lock lock(mutex_);
    sleeping_ = posted_.empty();
    return sleeping_;
}

void inbox::awake() noexcept {
    const std::scoped_lock lock(mutex_);
    sleeping_ = false;
}

}  // namespace weir
