#include "file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "detail/offloaded.hpp"
#include "errors.hpp"

namespace weir {
namespace {

int flags_of(open_mode mode) noexcept {
    int flags = O_CLOEXEC;
    if (!includes(mode, open_mode::write)) {
        flags |= O_RDONLY;
    } else {
        flags |= includes(mode, open_mode::read) ? O_RDWR : O_WRONLY;
    }
    flags |= includes(mode, open_mode::create) ? O_CREAT : 0;
    flags |= includes(mode, open_mode::exclusive) ? O_EXCL : 0;
    flags |= includes(mode, open_mode::truncate) ? O_TRUNC : 0;
    flags |= includes(mode, open_mode::append) ? O_APPEND : 0;
    flags |= includes(mode, open_mode::direct) ? O_DIRECT : 0;
    flags |= includes(mode, open_mode::no_follow) ? O_NOFOLLOW : 0;
    return flags;
}

// Closes a descriptor. The kernel takes the number out of the table before anything that could be
// interrupted, so an interruption of close(2) is not a stop that came first.
class [[nodiscard]] close_awaiter : public detail::io_awaiter {
  public:
    explicit close_awaiter(int fd) noexcept {
        request.opcode = io_opcode::close;
        request.fd = fd;
    }

    // operation_canceled: the descriptor is still open.
    result<void> await_resume() const noexcept {
        const bool interrupted = outcome <= -512 && outcome >= -516;  // ERESTARTSYS and its kin
        const result<int> done = interrupted ? result_from_kernel(-EINTR) : finish();
        return done ? result<void>() : std::unexpected(done.error());
    }
};

// Whether `error` only says that the call is made again.
bool is_interruption(const std::error_code& error) noexcept {
    return error == std::errc::interrupted;
}

// A write of no bytes that were asked for would be repeated for ever.
std::error_code no_progress() noexcept { return std::make_error_code(std::errc::io_error); }

// ref: the caller's memory outlives the await. `flags`: RWF_*; `offset` is ignored with RWF_APPEND.
task<result<void>> write_all(int fd, std::span<const std::byte> bytes, std::uint64_t offset,
                             std::uint32_t flags) {
    while (!bytes.empty()) {
        detail::count_awaiter call(detail::write_request(fd, bytes, offset, flags));
        const result<std::size_t> count = co_await call;
        if (!count) {
            if (is_interruption(count.error())) {
                continue;
            }
            co_return std::unexpected(count.error());
        }
        if (*count == 0) {
            co_return std::unexpected(no_progress());
        }
        bytes = bytes.subspan(*count);
        offset += *count;
    }
    co_return result<void>();
}

// ref: as above.
task<result<void>> read_all_of(int fd, std::span<std::byte> into, std::uint64_t offset) {
    while (!into.empty()) {
        detail::count_awaiter call(detail::read_request(fd, into, offset));
        const result<std::size_t> count = co_await call;
        if (!count) {
            if (is_interruption(count.error())) {
                continue;
            }
            co_return std::unexpected(count.error());
        }
        if (*count == 0) {
            co_return std::unexpected(make_error_code(file_errc::end_of_file));
        }
        into = into.subspan(*count);
        offset += *count;
    }
    co_return result<void>();
}

std::span<const std::byte> bytes_of(const iovec& piece) noexcept {
    return {static_cast<const std::byte*>(piece.iov_base), piece.iov_len};
}

// Takes the whole pieces that `count` bytes hold off `pieces`; returns how many bytes of the next
// one are left over.
std::size_t take_pieces(std::span<const iovec>& pieces, std::size_t count) noexcept {
    while (!pieces.empty() && count >= pieces.front().iov_len) {
        count -= pieces.front().iov_len;
        pieces = pieces.subspan(1);
    }
    return count;
}

// ref: as above. A piece that was written in part is completed on its own.
task<result<void>> write_all_pieces(int fd, std::span<const iovec> pieces, std::uint64_t offset) {
    static_cast<void>(take_pieces(pieces, 0));  // empty ones ask for nothing
    while (!pieces.empty()) {
        detail::count_awaiter call(
            detail::vectored_request(io_opcode::write_vectored, fd, pieces, offset));
        const result<std::size_t> count = co_await call;
        if (!count) {
            if (is_interruption(count.error())) {
                continue;
            }
            co_return std::unexpected(count.error());
        }
        if (*count == 0) {
            co_return std::unexpected(no_progress());
        }
        offset += *count;
        const std::size_t part = take_pieces(pieces, *count);
        if (part != 0) {
            const std::span<const std::byte> rest = bytes_of(pieces.front()).subspan(part);
            const result<void> completed = co_await write_all(fd, rest, offset, 0);
            if (!completed) {
                co_return completed;
            }
            offset += rest.size();
            pieces = pieces.subspan(1);
            static_cast<void>(take_pieces(pieces, 0));
        }
    }
    co_return result<void>();
}

result<void> truncate_now(int fd, std::int64_t size) {
    while (::ftruncate(fd, size) != 0) {
        if (errno != EINTR) {
            return std::unexpected(detail::last_error());
        }
    }
    return {};
}

}  // namespace

task<result<file>> file::open(std::string path, open_mode mode, unsigned permissions) {
    if (detail::has_nul(path) || !includes(mode, open_mode::read | open_mode::write)) {
        co_return std::unexpected(std::make_error_code(std::errc::invalid_argument));
    }
    io_request request = detail::path_request(io_opcode::open, path.c_str());
    request.operation_flags = static_cast<std::uint32_t>(flags_of(mode));
    request.length = permissions;
    detail::number_awaiter call(request);
    const result<int> fd = co_await call;
    if (!fd) {
        co_return std::unexpected(fd.error());
    }
    co_return file(file_descriptor(*fd));
}

task<result<void>> file::read_exactly_at(std::span<std::byte> into, std::uint64_t offset) const {
    return read_all_of(fd_.get(), into, detail::checked_offset(offset));
}

task<result<void>> file::write_at(std::span<const std::byte> bytes, std::uint64_t offset) const {
    return write_all(fd_.get(), bytes, detail::checked_offset(offset), 0);
}

task<result<void>> file::write_vectored_at(std::span<const iovec> pieces,
                                           std::uint64_t offset) const {
    return write_all_pieces(fd_.get(), pieces, detail::checked_offset(offset));
}

task<result<void>> file::append(std::span<const std::byte> bytes) const {
    return write_all(fd_.get(), bytes, 0, RWF_APPEND);
}

detail::done_awaiter file::make_sync(std::uint32_t flags) const noexcept {
    io_request request;
    request.opcode = io_opcode::sync;
    request.fd = fd_.get();
    request.operation_flags = flags;
    return detail::done_awaiter(request);
}

detail::done_awaiter file::allocate(std::uint64_t offset, std::uint64_t length) const noexcept {
    io_request request;
    request.opcode = io_opcode::allocate;
    request.fd = fd_.get();
    request.offset = detail::checked_offset(offset);
    request.address = reinterpret_cast<void*>(detail::checked_offset(length));
    return detail::done_awaiter(request);
}

task<result<void>> file::truncate(std::uint64_t size) const {
    return detail::offloaded(&truncate_now, fd_.get(),
                             static_cast<std::int64_t>(detail::checked_offset(size)));
}

task<result<file_status>> file::status() const {
    return detail::read_status(fd_.get(), std::string(), AT_EMPTY_PATH);
}

task<result<void>> file::close() {
    if (!fd_) {
        co_return result<void>();
    }
    close_awaiter call(fd_.get());
    const result<void> closed = co_await call;
    if (!closed && closed.error() == std::errc::operation_canceled) {
        fd_.reset();  // the kernel was not asked
        co_return result<void>();
    }
    static_cast<void>(fd_.release());
    co_return closed;
}

}  // namespace weir
