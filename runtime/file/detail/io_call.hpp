// Awaiters of single operations on descriptors, and the requests that they are made of.
//
// Thread: the loop's. Lifetime: what a request names lives until the await has ended.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "../../assert.hpp"
#include "../../detail/io_awaiter.hpp"

namespace weir::detail {

// In io_request::offset: the file's own position, or a stream that has none.
inline constexpr std::uint64_t at_position = UINT64_MAX;

// What the kernel moves in one call at most (MAX_RW_COUNT; read(2)).
inline constexpr std::size_t transfer_max = 0x7ffff000;

// And how many pieces (IOV_MAX).
inline constexpr std::size_t pieces_max = 1024;

// An operation that may run in a worker of the kernel, where a cancel interrupts it.
class call_awaiter : public io_awaiter {
  protected:
    explicit call_awaiter(const io_request& what) noexcept { request = what; }

    [[nodiscard]] result<int> finish_call() const noexcept {
        // ERESTARTSYS (512) and its kin reach user space from calls that are not restarted.
        const bool interrupted = outcome == -EINTR || (outcome <= -512 && outcome >= -516);
        if (interrupted) {
            return result_from_kernel(cancel_asked ? -ECANCELED : -EINTR);
        }
        return finish();
    }
};

// Yields the count that a read or a write returns.
class [[nodiscard]] count_awaiter : public call_awaiter {
  public:
    explicit count_awaiter(const io_request& what) noexcept : call_awaiter(what) {}

    result<std::size_t> await_resume() const noexcept {
        const result<int> count = finish_call();
        if (!count) {
            return std::unexpected(count.error());
        }
        return static_cast<std::size_t>(*count);
    }
};

// Yields the number that a call returns: a descriptor, a mask.
class [[nodiscard]] number_awaiter : public call_awaiter {
  public:
    explicit number_awaiter(const io_request& what) noexcept : call_awaiter(what) {}
    result<int> await_resume() const noexcept { return finish_call(); }
};

// Yields success or an error.
class [[nodiscard]] done_awaiter : public call_awaiter {
  public:
    explicit done_awaiter(const io_request& what) noexcept : call_awaiter(what) {}

    result<void> await_resume() const noexcept {
        const result<int> done = finish_call();
        return done ? result<void>() : std::unexpected(done.error());
    }
};

[[nodiscard]] inline std::uint64_t checked_offset(std::uint64_t offset) noexcept {
    WEIR_ASSERT(offset <= std::uint64_t{std::numeric_limits<std::int64_t>::max()},
                "an offset into a file is at most 2^63 - 1");
    return offset;
}

[[nodiscard]] inline io_request read_request(int fd, std::span<std::byte> into,
                                             std::uint64_t offset) noexcept {
    io_request request;
    request.opcode = io_opcode::read;
    request.fd = fd;
    request.address = into.data();
    request.length = static_cast<std::uint32_t>(std::min(into.size(), transfer_max));
    request.offset = offset;
    return request;
}

// `flags`: RWF_* of pwritev2(2).
[[nodiscard]] inline io_request write_request(int fd, std::span<const std::byte> bytes,
                                              std::uint64_t offset,
                                              std::uint32_t flags = 0) noexcept {
    io_request request;
    request.opcode = io_opcode::write;
    request.fd = fd;
    request.address = const_cast<std::byte*>(bytes.data());  // the kernel only reads it
    request.length = static_cast<std::uint32_t>(std::min(bytes.size(), transfer_max));
    request.operation_flags = flags;
    request.offset = offset;
    return request;
}

// `opcode`: read_vectored or write_vectored. Of more than pieces_max pieces, the first.
[[nodiscard]] inline io_request vectored_request(io_opcode opcode, int fd,
                                                 std::span<const iovec> pieces,
                                                 std::uint64_t offset) noexcept {
    io_request request;
    request.opcode = opcode;
    request.fd = fd;
    request.address = const_cast<iovec*>(pieces.data());
    request.length = static_cast<std::uint32_t>(std::min(pieces.size(), pieces_max));
    request.offset = offset;
    return request;
}

[[nodiscard]] inline io_request poll_request(int fd, std::uint32_t events) noexcept {
    io_request request;
    request.opcode = io_opcode::poll;
    request.fd = fd;
    request.operation_flags = events;
    return request;
}

// Such a path would be cut off in silence.
[[nodiscard]] inline bool has_nul(const std::string& path) noexcept {
    return path.find('\0') != std::string::npos;
}

// A request with a path, relative to the working directory.
[[nodiscard]] inline io_request path_request(io_opcode opcode, const char* path) noexcept {
    io_request request;
    request.opcode = opcode;
    request.fd = -100;  // AT_FDCWD
    request.address = const_cast<char*>(path);
    return request;
}

}  // namespace weir::detail
