#include "detail/process_bound.hpp"

#include <pthread.h>

#include <atomic>
#include <new>

namespace weir::detail {
namespace {

// Written by the only thread of a child that fork() has just made.
std::atomic<unsigned> forks{0};

std::atomic<forkable*> abandoned{nullptr};

bool count_forks() {
    const auto count = [] { forks.fetch_add(1, std::memory_order_relaxed); };
    if (pthread_atfork(nullptr, nullptr, count) != 0) {
        throw std::bad_alloc();
    }
    return true;
}

}  // namespace

unsigned fork_count() {
    static const bool counted = count_forks();
    static_cast<void>(counted);
    return forks.load(std::memory_order_relaxed);
}

void abandon(forkable& what) noexcept {
    what.next_abandoned = abandoned.load(std::memory_order_relaxed);
    // Nobody reads the list: it is there for leak checkers.
    while (
        !abandoned.compare_exchange_weak(what.next_abandoned, &what, std::memory_order_relaxed)) {
    }
}

}  // namespace weir::detail
