#include "pipe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "detail/broken_pipe.hpp"
#include "detail/io_call.hpp"

namespace weir {
namespace {

using detail::nosignal_support;

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

task<result<void>> wait_until(int fd, std::uint32_t events) {
    detail::done_awaiter poll(detail::poll_request(fd, events));
    co_return co_await poll;
}

// Whether `error` of a write says that its flags are not known.
bool is_refusal(const std::error_code& error) noexcept {
    return error == std::errc::operation_not_supported || error == std::errc::invalid_argument;
}

// ref: the caller's memory outlives the await. One write, made again where the kernel does not know
// RWF_NOSIGNAL.
task<result<std::size_t>> write_once(int fd, std::span<const std::byte> bytes) {
    const nosignal_support known = detail::known_nosignal_support();
    const detail::broken_pipe_guard guard(known != nosignal_support::yes);
    if (known != nosignal_support::no) {
        detail::count_awaiter quiet(
            detail::write_request(fd, bytes, detail::at_position, detail::rwf_nosignal));
        const result<std::size_t> count = co_await quiet;
        if (count || !is_refusal(count.error())) {
            if (count || count.error() == std::errc::broken_pipe) {
                detail::learn_nosignal_support(nosignal_support::yes);
            }
            co_return count;
        }
    }
    detail::count_awaiter plain(detail::write_request(fd, bytes, detail::at_position));
    const result<std::size_t> count = co_await plain;
    if (!count && count.error() == std::errc::broken_pipe) {
        guard.swallow();
    }
    // What a plain write takes and the other refuses is the flag.
    if (known == nosignal_support::unknown && (count || !is_refusal(count.error()))) {
        detail::learn_nosignal_support(nosignal_support::no);
    }
    co_return count;
}

// A second descriptor of the same open file. Above the standard ones: it never takes the place of
// one that is closed.
result<file_descriptor> duplicate(int fd) noexcept {
    file_descriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!copy) {
        return std::unexpected(last_error());
    }
    return copy;
}

result<pipe_writer> writer_of(int fd) noexcept {
    result<file_descriptor> copy = duplicate(fd);
    if (!copy) {
        return std::unexpected(copy.error());
    }
    return pipe_writer(std::move(*copy));
}

}  // namespace

// ref: as the header says.
task<result<std::size_t>> pipe_reader::read_some(std::span<std::byte> into) {
    bool wait_first = poll_first_ && !into.empty();
    while (true) {
        if (wait_first) {
            const result<void> ready = co_await wait_until(fd_.get(), POLLIN);
            if (!ready) {
                co_return std::unexpected(ready.error());
            }
        }
        detail::count_awaiter read(detail::read_request(fd_.get(), into, detail::at_position));
        const result<std::size_t> count = co_await read;
        if (count || (count.error() != std::errc::interrupted &&
                      count.error() != std::errc::resource_unavailable_try_again)) {
            co_return count;
        }
        // Where the descriptor is nonblocking and the kernel does not wait in its stead.
        wait_first = wait_first || count.error() != std::errc::interrupted;
    }
}

// ref: as the header says.
task<result<std::size_t>> pipe_writer::write_some(std::span<const std::byte> bytes) {
    while (true) {
        const result<std::size_t> count = co_await write_once(fd_.get(), bytes);
        if (count || count.error() != std::errc::resource_unavailable_try_again) {
            if (count || count.error() != std::errc::interrupted) {
                co_return count;
            }
            continue;
        }
        const result<void> room = co_await wait_until(fd_.get(), POLLOUT);
        if (!room) {
            co_return std::unexpected(room.error());
        }
    }
}

// ref: as the header says.
task<result<void>> pipe_writer::write_all(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const result<std::size_t> count = co_await write_some(bytes);
        if (!count) {
            co_return std::unexpected(count.error());
        }
        if (*count == 0) {
            co_return std::unexpected(std::make_error_code(std::errc::io_error));
        }
        bytes = bytes.subspan(*count);
    }
    co_return result<void>();
}

result<pipe_ends> make_pipe() noexcept {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
        return std::unexpected(last_error());
    }
    pipe_ends ends;
    ends.reader = pipe_reader(file_descriptor(fds[0]));
    ends.writer = pipe_writer(file_descriptor(fds[1]));
    return ends;
}

result<pipe_reader> standard_input() noexcept {
    result<file_descriptor> copy = duplicate(STDIN_FILENO);
    if (!copy) {
        return std::unexpected(copy.error());
    }
    const bool terminal = ::isatty(copy->get()) == 1;
    pipe_reader reader(std::move(*copy));
    reader.poll_first_ = terminal;
    return reader;
}

result<pipe_writer> standard_output() noexcept { return writer_of(STDOUT_FILENO); }

result<pipe_writer> standard_error() noexcept { return writer_of(STDERR_FILENO); }

}  // namespace weir
