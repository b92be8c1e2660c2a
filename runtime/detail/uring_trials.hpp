// Finds out by trying what no flag of the kernel tells: multishot requests and buffer rings.
//
// Thread: the one that enabled the ring.
#pragma once

#include <liburing.h>

namespace weir::detail {

struct uring_trials {
    bool buffer_ring = false;
    bool recv_multishot = false;  // tried with the buffer ring
    bool accept_multishot = false;
};

// `ring` is enabled, has nothing in flight and is closed soon after: a request that works stays in
// flight. Sockets that cannot be made leave their trials false.
[[nodiscard]] uring_trials try_operations(io_uring& ring);

}  // namespace weir::detail
