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

// What an operation's options stand for in an SQE.
struct option_bits {
    std::uint8_t flags = 0;
    std::uint16_t priority = 0;
};

constexpr option_bits bits_of(unsigned options) {
    option_bits bits;
    bits.flags = ((options & io_from_group) != 0 ? IOSQE_BUFFER_SELECT : 0) |
                 ((options & io_silent) != 0 ? IOSQE_CQE_SKIP_SUCCESS : 0);
    bits.priority = ((options & io_multishot) != 0 ? IORING_RECV_MULTISHOT : 0) |
                    ((options & io_bundle) != 0 ? IORING_RECVSEND_BUNDLE : 0) |
                    ((options & io_poll_first) != 0 ? IORING_RECVSEND_POLL_FIRST : 0);
    return bits;
}

// By options.
constexpr auto all_bits = [] {
    std::array<option_bits, std::size_t{2} * io_silent> table;
    for (unsigned options = 0; options < table.size(); ++options) {
        table[options] = bits_of(options);
    }
    return table;
}();

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
        const option_bits bits = all_bits[request.options];
        sqe.flags = bits.flags;
        sqe.ioprio = bits.priority;
        sqe.buf_group = request.buffer_group;
        if (request.opcode == io_opcode::poll) [[unlikely]] {
            sqe.len = IORING_POLL_ADD_MULTI;
            sqe.ioprio = 0;
        } else if (request.opcode == io_opcode::accept) [[unlikely]] {
            sqe.ioprio = IORING_ACCEPT_MULTISHOT;
        }
    }
    if (request.opcode == io_opcode::splice) [[unlikely]] {
        sqe.splice_fd_in = request.other_fd;
    }
}

}  // namespace weir::detail
