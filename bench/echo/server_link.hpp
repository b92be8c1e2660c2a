// What the measuring program and a server share: two inherited descriptors and one page of memory.
//
// The server writes its port into `ready_fd` when it accepts connections, and counts its system
// calls in the page. Nothing else passes between them but the echoed bytes.
// Thread: the server's one thread writes the counter, the measuring program reads it; nothing is
// ordered by it, so both are relaxed.
#pragma once

#include <atomic>
#include <cstdint>

namespace echo {

inline constexpr int ready_fd = 3;     // the server's end of a pipe; one std::uint16_t
inline constexpr int counters_fd = 4;  // memory for one server_counters

struct server_counters {
    // 0 for ever where a server does not count.
    std::atomic<std::uint64_t> syscalls{0};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace echo
