// The inbox of a loop: functions posted by other threads, bounded, with one coalesced wake.
//
//     weir::inbox posted(io, 1'024);
//     posted.push(function, false);   // by any thread
//     posted.drain();                 // by the loop: calls function
//
// Posters append to a vector under a mutex; the loop swaps the whole vector out. A poster wakes
// the driver only when the loop has announced, under the same mutex, that it is about to sleep, so
// posting to a busy loop costs no system call (a lock-free stack was measured slower: README.md).
//
// Thread: push and try_emplace any, the rest the loop's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "driver.hpp"

namespace weir {

class inbox {
  public:
    using entry = std::move_only_function<void()>;

    inbox(driver& io, std::size_t capacity) noexcept : io_(io), capacity_(capacity) {}

    // Appends; blocks while full, or throws errc::inbox_full when `on_loop_thread`.
    void push(entry function, bool on_loop_thread);

    // Appends in any case.
    void push_urgent(entry function);

    // Appends unless full. Returns whether it did; `function` is moved from only then.
    template <class F>
    bool try_emplace(F& function) {
        std::unique_lock lock(mutex_);
        if (posted_.size() >= capacity_) {
            return false;
        }
        posted_.emplace_back(std::move(function));
        announce(lock);
        return true;
    }

    // True when drain() may find something. Costs a load.
    [[nodiscard]] bool maybe_nonempty() const noexcept {
        // Pairs with the release store in announce(); a miss is caught by prepare_to_sleep().
        return nonempty_.load(std::memory_order_acquire);
    }

    // Runs what was posted. Returns how many.
    std::size_t drain() noexcept;

    // True when nothing is posted; from then until awake(), a poster wakes the driver.
    [[nodiscard]] bool prepare_to_sleep() noexcept;
    void awake() noexcept;

  private:
    // Unlocks, and wakes the loop if it sleeps.
    void announce(std::unique_lock<std::mutex>& lock) noexcept;

    driver& io_;
    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable room_;
    std::vector<entry> posted_;  // guarded by mutex_
    std::size_t blocked_ = 0;    // threads that wait for room; guarded by mutex_
    bool sleeping_ = false;      // guarded by mutex_
    std::atomic<bool> nonempty_{false};
    std::vector<entry> draining_;  // the loop's
};

}  // namespace weir
