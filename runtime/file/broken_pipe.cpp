#include <pthread.h>

#include <atomic>
#include <csignal>
#include <ctime>

#include "detail/broken_pipe.hpp"

namespace weir::detail {
namespace {

// Every value stands for itself, so relaxed is enough: its only partners are other reads and writes
// of it.
std::atomic<nosignal_support> support = nosignal_support::unknown;

// Of this thread. was_blocked and was_pending are written by the first guard.
struct guarded_thread {
    unsigned guards = 0;
    bool was_blocked = false;
    bool was_pending = false;
};
constinit thread_local guarded_thread guarded;

sigset_t only_sigpipe() noexcept {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

}  // namespace

nosignal_support known_nosignal_support() noexcept {
    return support.load(std::memory_order_relaxed);
}

void learn_nosignal_support(nosignal_support found) noexcept {
    support.store(found, std::memory_order_relaxed);
}

broken_pipe_guard::broken_pipe_guard(bool needed) noexcept : active_(needed) {
    if (!active_ || guarded.guards++ != 0) {
        return;
    }
    const sigset_t set = only_sigpipe();
    sigset_t previous;
    pthread_sigmask(SIG_BLOCK, &set, &previous);
    guarded.was_blocked = sigismember(&previous, SIGPIPE) == 1;
    sigset_t pending;
    sigpending(&pending);
    guarded.was_pending = sigismember(&pending, SIGPIPE) == 1;
}

broken_pipe_guard::~broken_pipe_guard() {
    if (!active_ || --guarded.guards != 0 || guarded.was_blocked) {
        return;
    }
    const sigset_t set = only_sigpipe();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void broken_pipe_guard::swallow() const noexcept {
    // Signals of one kind do not queue: one that was pending before is somebody else's.
    if (!active_ || guarded.was_pending) {
        return;
    }
    const sigset_t set = only_sigpipe();
    const timespec no_wait{};
    sigtimedwait(&set, nullptr, &no_wait);
}

}  // namespace weir::detail
