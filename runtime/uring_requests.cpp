#include "detail/uring_requests.hpp"

#include <array>
#include <cstring>

#include "uring_compat.hpp"

namespace weir::detail {
namespace {

// By io_opcode.
constexpr std::array opcodes = {
    IORING_OP_NOP,     IORING_OP_READ,   IORING_OP_WRITE,     IORING_OP_READV,
    IORING_OP_WRITEV,  IORING_OP_FSYNC,  IORING_OP_FALLOCATE, IORING_OP_OPENAT,
    IORING_OP_CLOSE,   IORING_OP_STATX,  IORING_OP_RENAMEAT,  IORING_OP_UNLINKAT,
    IORING_OP_MKDIRAT, IORING_OP_ACCEPT, IORING_OP_CONNECT,   IORING_OP_SHUTDOWN,
    IORING_OP_RECV,    IORING_OP_SEND,   IORING_OP_RECVMSG,   IORING_OP_SENDMSG,
    IORING_OP_SEND_ZC, IORING_OP_SPLICE, IORING_OP_POLL_ADD};
static_assert(opcodes.size() == static_cast<std::size_t>(io_opcode::poll) + 1);

// The bits of an SQE's ioprio that an operation's options stand for.
std::uint16_t priority_bits(const io_request& request) noexcept {
    unsigned bits = 0;
    if ((request.options & io_multishot) != 0) {
        bits |=
            request.opcode == io_opcode::accept ? IORING_ACCEPT_MULTISHOT : IORING_RECV_MULTISHOT;
    }
    if ((request.options & io_bundle) != 0) {
        bits |= IORING_RECVSEND_BUNDLE;
    }
    if ((request.options & io_poll_first) != 0) {
        bits |= IORING_RECVSEND_POLL_FIRST;
    }
    return static_cast<std::uint16_t>(bits);
}

}  // namespace

void describe(const io_request& request, io_uring_sqe& sqe) noexcept {
    std::memset(&sqe, 0, sizeof sqe);
    sqe.opcode = static_cast<std::uint8_t>(opcodes[static_cast<std::size_t>(request.opcode)]);
    sqe.fd = request.fd;
    sqe.addr = reinterpret_cast<std::uintptr_t>(request.address);
    sqe.len = request.length;
    sqe.off = request.offset;
    sqe.rw_flags = static_cast<__kernel_rwf_t>(request.operation_flags);
    if (request.options != 0) {
        if (request.opcode == io_opcode::poll) {
            sqe.len = IORING_POLL_ADD_MULTI;
        } else {
            sqe.ioprio = priority_bits(request);
        }
        if ((request.options & io_from_group) != 0) {
            sqe.flags = IOSQE_BUFFER_SELECT;
            sqe.buf_group = request.buffer_group;
        }
        if ((request.options & io_silent) != 0) {
            sqe.flags |= IOSQE_CQE_SKIP_SUCCESS;
        }
    }
    if (request.opcode == io_opcode::splice) {
        sqe.splice_fd_in = request.other_fd;
    }
}

}  // namespace weir::detail
