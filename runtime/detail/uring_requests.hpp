// How an io_request is told to the ring.
//
// Thread: any.
#pragma once

#include <liburing.h>

#include "../operation.hpp"

namespace weir::detail {

// Fills in everything but user_data.
void describe(const io_request& request, io_uring_sqe& sqe) noexcept;

}  // namespace weir::detail
