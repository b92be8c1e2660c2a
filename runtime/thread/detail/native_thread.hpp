// Threads of the system, as the pools and loops of this folder start them: all signals blocked (a
// handler of the program's then never runs on them, and a signalfd sees what is sent to the
// process), named, and pinned where asked. The only place of the library that starts threads.
//
// Thread: any.
#pragma once

#include <pthread.h>

#include <vector>

#include "../../detail/post_surely.hpp"

namespace weir::detail {

struct thread_start {
    void* (*run)(void*) = nullptr;  // must not throw
    void* argument = nullptr;
    int cpu = -1;           // the one that it runs on; -1 for those of the calling thread
    bool detached = false;  // never joined: it ends with the process
};

// Returns 0 or an errno (pthread_create(3)): EAGAIN where a limit is reached, EINVAL where `cpu` is
// not allowed.
[[nodiscard]] int start_thread(pthread_t& id, const thread_start& what) noexcept;

// What top(1) and debuggers show; cut to 15 bytes.
void name_this_thread(const char* name) noexcept;

// The processors that this thread may run on, in order; one or more (sched_getaffinity(2)).
[[nodiscard]] std::vector<int> allowed_cpus();

}  // namespace weir::detail
