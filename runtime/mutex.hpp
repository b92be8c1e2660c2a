// mutex: mutual exclusion between tasks of one loop, across their awaits; first come, first served.
//
//     weir::mutex m;
//     auto guard = co_await m.lock();   // unlocked when `guard` dies
//
// Not recursive: a task that locks twice waits for itself. Code without a co_await between lock and
// unlock needs no mutex: nothing else runs meanwhile.
//
// Errors: lock() throws weir::canceled when its task is stopped.
// Lifetime: unlocked, and nobody waits, when it is destroyed. Thread: one loop's.
#pragma once

#include <optional>

#include "semaphore.hpp"

namespace weir {

class mutex {
  public:
    // Holds the lock; unlocks when it dies, or by release().
    using guard = semaphore::permit;

    mutex() noexcept : permits_(1) {}

    // Waits for the lock; yields a guard.
    [[nodiscard]] semaphore::acquire_awaiter lock() noexcept { return permits_.acquire(); }

    // Takes the lock if it is free.
    [[nodiscard]] std::optional<guard> try_lock() noexcept { return permits_.try_acquire(); }

    [[nodiscard]] bool is_locked() const noexcept { return permits_.available() == 0; }

  private:
    semaphore permits_;
};

}  // namespace weir
