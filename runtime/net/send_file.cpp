#include "send_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "../detail/io_awaiter.hpp"
#include "../this_task.hpp"

namespace weir {
namespace detail {

struct stream_access {
    static socket_core* core(socket_stream& of) noexcept { return of.core_.get(); }
};

}  // namespace detail

namespace {

constexpr std::size_t piece_max = 65'536;  // what a pipe holds

class [[nodiscard]] plain_call : public detail::io_awaiter {
  public:
    result<int> await_resume() const noexcept { return finish(); }
};

class [[nodiscard]] splice_call : public plain_call {
  public:
    // Offsets: UINT64_MAX where there is none.
    splice_call(int from, std::uint64_t offset, int to, std::uint64_t count) noexcept {
        request.opcode = io_opcode::splice;
        request.other_fd = from;
        request.address = reinterpret_cast<void*>(offset);
        request.fd = to;
        request.offset = UINT64_MAX;
        request.length = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, piece_max));
        request.operation_flags = SPLICE_F_MOVE;
    }
};

// A splice would keep a worker of the kernel waiting.
class [[nodiscard]] room_in_socket : public plain_call {
  public:
    explicit room_in_socket(int fd) noexcept {
        request.opcode = io_opcode::poll;
        request.fd = fd;
        request.operation_flags = POLLOUT;
    }
};

class [[nodiscard]] read_call : public plain_call {
  public:
    read_call(int from, std::uint64_t offset, std::byte* into, std::uint64_t count) noexcept {
        request.opcode = io_opcode::read;
        request.fd = from;
        request.address = into;
        request.length = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, piece_max));
        request.offset = offset;
    }
};

// Keeps what others write behind the file.
class held_sender {
  public:
    explicit held_sender(detail::sender& out) noexcept : out_(out) { out_.hold(); }
    held_sender(const held_sender&) = delete;
    held_sender& operator=(const held_sender&) = delete;
    ~held_sender() { out_.let_go(); }

  private:
    detail::sender& out_;
};

struct transfer {
    int from;
    std::uint64_t offset;
    std::uint64_t left;
    std::uint64_t sent = 0;
    std::error_code error;
    bool is_refused = false;  // has to go by reads and writes
};

// One splice, repeated where a signal ended it. ref: awaited at once.
task<result<int>> splice(transfer& of, int from, std::uint64_t offset, int to,
                         std::uint64_t count) {
    while (true) {
        const result<int> moved = co_await splice_call(from, offset, to, count);
        if (moved) {
            co_return moved;
        }
        const bool is_stopped = co_await stop_requested();
        if (is_stopped) {
            of.error = std::make_error_code(std::errc::operation_canceled);
        } else if (moved.error() == std::errc::invalid_argument) {
            of.is_refused = true;
        } else if (moved.error() == std::errc::interrupted) {
            continue;
        } else if (moved.error() == std::errc::resource_unavailable_try_again &&
                   offset == UINT64_MAX) {
            co_return 0;  // the socket is full once more
        } else {
            of.error = moved.error();
        }
        co_return moved;
    }
}

// What stands in the pipe goes to the socket. ref: awaited at once.
task<bool> empty_pipe(transfer& of, int pipe, int socket, std::uint64_t held) {
    while (held != 0) {
        const result<int> ready = co_await room_in_socket(socket);
        if (!ready) {
            of.error = ready.error();
            co_return false;
        }
        const result<int> moved = co_await splice(of, pipe, UINT64_MAX, socket, held);
        if (!moved) {
            co_return false;
        }
        const auto count = static_cast<std::uint64_t>(*moved);
        held -= count;
        of.sent += count;
        of.offset += count;
        of.left -= count;
    }
    co_return true;
}

// ref: awaited at once.
task<> splice_all(transfer& of, int in, int out, int socket) {
    bool goes_on = true;
    while (goes_on && of.left != 0) {
        const result<int> taken = co_await splice(of, of.from, of.offset, in, of.left);
        if (!taken || *taken == 0) {
            co_return;
        }
        goes_on = co_await empty_pipe(of, out, socket, static_cast<std::uint64_t>(*taken));
    }
}

// ref: awaited at once.
task<> send_through_pipe(detail::socket_core& to, transfer& of) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        of.is_refused = true;
        co_return;
    }
    const file_descriptor out(ends[0]);
    const file_descriptor in(ends[1]);
    const held_sender held(to.out());
    co_await splice_all(of, in.get(), out.get(), to.fd());
    if (of.error && of.sent != 0) {
        to.out().break_with(of.error);  // before what was written behind it goes out
    }
}

// ref: awaited at once.
task<> send_by_copies(socket_stream& to, transfer& of) {
    const auto memory = std::make_unique<std::byte[]>(piece_max);
    while (of.left != 0) {
        const result<int> count = co_await read_call(of.from, of.offset, memory.get(), of.left);
        if (!count || *count == 0) {
            of.error = count ? std::error_code() : count.error();
            co_return;
        }
        const auto size = static_cast<std::size_t>(*count);
        const result<void> written = co_await to.write_all(std::span(memory.get(), size));
        if (!written) {
            of.error = written.error();
            co_return;
        }
        of.sent += size;
        of.offset += size;
        of.left -= size;
    }
}

}  // namespace

// ref: see the declaration.
task<result<std::uint64_t>> send_file(socket_stream& to, int from, std::uint64_t offset,
                                      std::uint64_t count) {
    const result<void> flushed = co_await to.flush();
    if (!flushed) {
        co_return std::unexpected(flushed.error());
    }
    transfer of{.from = from, .offset = offset, .left = count, .sent = 0, .error = {}};
    co_await send_through_pipe(*detail::stream_access::core(to), of);
    if (of.is_refused) {
        co_await send_by_copies(to, of);
    }
    if (of.error) {
        if (of.sent != 0) {
            detail::stream_access::core(to)->out().break_with(of.error);
        }
        co_return std::unexpected(of.error);
    }
    co_return of.sent;
}

}  // namespace weir
