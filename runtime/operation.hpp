// An operation in the kernel, as the runtime describes it to a driver.
//
//     class [[nodiscard]] read_awaiter : public weir::detail::io_awaiter {
//       public:
//         read_awaiter(int fd, char* into, std::uint32_t length) noexcept {
//             request.opcode = weir::io_opcode::read;
//             request.fd = fd;
//             request.address = into;
//             request.length = length;
//         }
//         weir::result<int> await_resume() const noexcept { return finish(); }
//     };
//
// States, and who moves them:
//   idle      not handed to a driver
//   deferred  handed over, waits for room under max_in_flight (written by the driver)
//   in_flight the kernel may read and write what the request names (written by the driver)
//   done      the terminal completion has arrived; outcome and flags are set (written by the
//   driver)
// The memory of an operation, and all memory that its request names, stays alive from start to
// done: a canceled operation is in flight until its terminal completion.
//
// Thread: the loop's.
#pragma once

#include <cstdint>

#include "context.hpp"

namespace weir {

enum class io_opcode : std::uint8_t {
    nop,   // completes at once with 0
    read,  // read(2) at `offset`, or at the file position where offset is -1
    write  // write(2), likewise
};

// What is asked of the kernel, in its own terms (io_uring_enter(2), the SQE's fields).
struct io_request {
    io_opcode opcode = io_opcode::nop;
    int fd = -1;
    void* address = nullptr;
    std::uint32_t length = 0;
    std::uint64_t offset = 0;
};

namespace detail {

enum class operation_state : std::uint8_t { idle, deferred, in_flight, done };

// The waiter of one operation; awaiters of I/O derive from it.
struct operation : waiter {
    io_request request;
    std::int32_t outcome = 0;  // the completion's: a count, or a negative errno
    std::uint32_t completion_flags = 0;
    std::uint32_t index = 0;  // the driver's
    operation_state state = operation_state::idle;
    bool cancel_asked = false;
};

}  // namespace detail
}  // namespace weir
