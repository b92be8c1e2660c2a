// What a ring offers beyond single operations.
//
// Thread: any.
#pragma once

#include <liburing.h>

#include "../operation.hpp"
#include "../uring_setup.hpp"

namespace weir::detail {

// Asks the kernel behind `ring`. What cannot be asked for follows from an opcode of the same
// release: multishot accept and buffer rings came with IORING_OP_SOCKET (5.19), multishot receive
// with IORING_OP_SEND_ZC (6.0).
[[nodiscard]] io_features features_of(io_uring& ring, const ring_setup& granted);

}  // namespace weir::detail
