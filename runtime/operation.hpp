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
//             driver)
// A multishot operation completes several times while it is in flight; see operation::completed.
// The memory of an operation, and all memory that its request names, stays alive from start to
// done: a canceled operation is in flight until its terminal completion.
//
// Thread: the loop's.
#pragma once

#include <cstdint>

#include "context.hpp"

namespace weir {

// Comments name the fields that an opcode reads beside `fd`; each is as in the man page.
enum class io_opcode : std::uint8_t {
    nop,              // completes at once with 0
    read,             // read(2) at `offset`, or at the file position where offset is -1
    write,            // write(2), likewise
    read_vectored,    // preadv2(2): address of `length` iovecs, offset
    write_vectored,   // pwritev2(2), likewise
    sync,             // fsync(2); operation_flags 1: data only (IORING_FSYNC_DATASYNC)
    allocate,         // fallocate(2): mode in `length`, offset, byte count in `address`
    open,             // openat(2): path at `address`, O_* in operation_flags, mode in `length`
    close,            // close(2)
    status,           // statx(2): path, statx at `offset`, mask in `length`, operation_flags
    rename,           // renameat2(2): old path, new directory in `length`, new path at `offset`
    unlink,           // unlinkat(2): path, AT_* in operation_flags
    make_directory,   // mkdirat(2): path, mode in `length`
    accept,           // accept4(2): sockaddr at `address`, its length at `offset`, SOCK_* flags
    connect,          // connect(2): sockaddr at `address`, its length in `offset`
    shut_down,        // shutdown(2): how, in `length`
    receive,          // recv(2): address, length, MSG_* in operation_flags
    send,             // send(2), likewise
    receive_message,  // recvmsg(2): msghdr at `address`
    send_message,     // sendmsg(2), likewise
    send_zero_copy,   // send(2) from memory that stays in use until the last completion
    splice,           // splice(2) from other_fd (offset in `address`) to fd (offset), length
    poll              // poll(2): POLL* in operation_flags
};

// How an operation deviates from the plain one; combined by |.
inline constexpr std::uint8_t io_multishot = 1;   // accept, receives, poll: completes many times
inline constexpr std::uint8_t io_from_group = 2;  // receives: into a buffer of `buffer_group`
inline constexpr std::uint8_t io_bundle = 4;      // receive: into as many as are filled at once
inline constexpr std::uint8_t io_poll_first = 8;  // receive, send: waits before the first attempt
// send with MSG_DONTWAIT and MSG_WAITALL, which ends when it is handed over: the kernel speaks only
// of what was not done whole. The completion is delivered all the same, by a poll() or wait() soon
// after; see driver::hasten. Requires io_features::silent.
inline constexpr std::uint8_t io_silent = 16;

// What is asked of the kernel, in its own terms (io_uring_enter(2), the SQE's fields).
struct io_request {
    io_opcode opcode = io_opcode::nop;
    std::uint8_t options = 0;  // io_multishot and the others above
    std::uint16_t buffer_group = 0;
    int fd = -1;
    void* address = nullptr;
    std::uint32_t length = 0;
    std::uint32_t operation_flags = 0;
    std::uint64_t offset = 0;
    int other_fd = 0;
};

// What a driver can do beyond single operations; see io_uring's capabilities in uring_probe.hpp.
struct io_features {
    bool silent = false;             // io_silent
    bool accept_multishot = false;   // io_multishot with accept
    bool receive_multishot = false;  // io_multishot with receive, and io_from_group
    bool bundles = false;            // io_bundle
    bool zero_copy = false;          // send_zero_copy
};

namespace detail {

enum class operation_state : std::uint8_t { idle, deferred, in_flight, done };

// Bits of operation::completion_flags, as in a CQE (io_uring_enter(2)).
inline constexpr std::uint32_t completion_has_buffer = 1U << 0;  // its number in the upper 16 bits
inline constexpr std::uint32_t completion_more = 1U << 1;        // not the terminal one
inline constexpr std::uint32_t completion_nonempty = 1U << 2;    // the socket holds more bytes
inline constexpr std::uint32_t completion_notification = 1U << 3;  // the memory is free again

[[nodiscard]] constexpr std::uint16_t buffer_of(std::uint32_t completion_flags) noexcept {
    return static_cast<std::uint16_t>(completion_flags >> 16);
}

// The waiter of one operation; awaiters of I/O derive from it.
struct operation : waiter {
    io_request request;
    // Called at every completion, inside the driver's poll() or wait(), instead of waking the
    // waiter; null: the terminal one wakes. It may start operations, and free this one when that is
    // done; it resumes nobody.
    void (*completed)(operation&) noexcept = nullptr;
    std::int32_t outcome = 0;  // the completion's: a count, or a negative errno
    std::uint32_t completion_flags = 0;
    std::uint32_t index = 0;  // the driver's
    operation_state state = operation_state::idle;
    bool cancel_asked = false;
};

}  // namespace detail
}  // namespace weir
