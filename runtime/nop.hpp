// co_await weir::nop(): one round trip through the kernel that does nothing, as a probe of the
// loop's I/O path and for measuring it.
//
//     weir::result<void> done = co_await weir::nop();
//
// Returns success, or std::errc::operation_canceled when the task was stopped first. Source:
// IORING_OP_NOP in io_uring_enter(2).
//
// Thread: the loop's.
#pragma once

#include "detail/io_awaiter.hpp"

namespace weir {

class [[nodiscard]] nop_awaiter : public detail::io_awaiter {
  public:
    nop_awaiter() noexcept = default;

    result<void> await_resume() const noexcept {
        const result<int> done = finish();
        return done ? result<void>() : std::unexpected(done.error());
    }
};

[[nodiscard]] inline nop_awaiter nop() noexcept { return {}; }

}  // namespace weir
