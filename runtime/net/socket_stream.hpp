// socket_stream: what a TCP and a Unix stream socket have in common. A byte_stream (stream.hpp).
//
//     weir::task<> echo(weir::tcp_stream peer) {
//         std::array<std::byte, 4096> bytes;
//         while (true) {
//             const auto count = co_await peer.read_some(bytes);
//             if (!count || *count == 0) { co_return; }
//             const auto sent = co_await peer.write_all(std::span(bytes).first(*count));
//             if (!sent) { co_return; }
//         }
//     }
//
// Reading, two ways that may follow each other: read_some copies into the caller's span; receive()
// gives the bytes in a buffer of the loop, by one multishot request for many arrivals.
// Writing: what is less than 16 KiB is copied and leaves at the end of the tick, together with what
// else was written until then, in one send; more waits for room and goes out from the caller's
// memory. At most 64 KiB are queued.
// One task may read while another writes. Destroying a stream, or assigning to it, lets what was
// written go out in the background for up to 10 seconds; close() waits for it and tells errors.
//
// Errors: those of recv(2) and send(2); std::errc::operation_canceled when the task was stopped,
// bad_file_descriptor after close(). A write that was stopped after a part of it had left breaks
// the stream: further writes fail with operation_canceled.
// Lifetime: outlives the tasks that use it, and ends before its loop. Thread: the loop's.
#pragma once

#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "../result.hpp"
#include "../task.hpp"
#include "detail/socket_core.hpp"
#include "received_buffer.hpp"
#include "stream.hpp"

namespace weir {

namespace detail {
struct stream_access;  // of send_file
}

class socket_stream {
  public:
    // No socket: every call fails with bad_file_descriptor.
    socket_stream() noexcept = default;
    // A connected stream socket, blocking (without O_NONBLOCK), on the loop that runs now.
    explicit socket_stream(file_descriptor connected);

    class read_awaiter;
    class receive_awaiter;
    class write_awaiter;

    // At least one byte, 0 at the end of the stream or for an empty span. `into` lives until the
    // await has ended.
    [[nodiscard]] read_awaiter read_some(std::span<std::byte> into) noexcept;

    // The next bytes in a buffer of the loop; an empty one at the end of the stream. Fails with
    // no_buffer_space while the caller holds all buffers that one connection may have.
    [[nodiscard]] receive_awaiter receive() noexcept;

    // Takes all bytes or fails. `from` lives until the await has ended, and no longer.
    [[nodiscard]] write_awaiter write_all(std::span<const std::byte> from) noexcept;

    // The same for several pieces, in order; small ones leave in one send. The pieces live until
    // the await has ended. ref: awaited at once.
    [[nodiscard]] task<result<void>> write_all(std::span<const std::span<const std::byte>> pieces);

    // Waits until everything written has been handed to the kernel.
    [[nodiscard]] task<result<void>> flush();

    // flush(), then tells the peer that nothing more comes (shutdown(2), SHUT_WR).
    [[nodiscard]] task<result<void>> finish_writing();

    // flush(), ends who reads with operation_canceled, then closes. Idempotent. Returns what went
    // wrong with writes so far.
    [[nodiscard]] task<result<void>> close();

    // Writes of at least so many bytes are not copied by the kernel either (IORING_OP_SEND_ZC,
    // Linux 6.0), where it can; SIZE_MAX, the default: all are. Worth a measurement on a network
    // card with scatter and gather; on loopback the kernel copies all the same (README.md).
    void set_zero_copy_min(std::size_t bytes) noexcept;

    [[nodiscard]] bool is_open() const noexcept { return core_ != nullptr && core_->is_open(); }
    // For setsockopt and the like; stays this stream's. -1 without a socket.
    [[nodiscard]] int native_handle() const noexcept { return core_ != nullptr ? core_->fd() : -1; }

  private:
    friend class receive_awaiter;
    friend struct detail::stream_access;

    [[nodiscard]] static received_buffer take_chunk(detail::receiver& from) noexcept;

    detail::socket_handle core_;
};

class [[nodiscard]] socket_stream::read_awaiter : private detail::span_read {
  public:
    read_awaiter(detail::socket_core* core, std::span<std::byte> destination) noexcept {
        socket = core;
        into = destination;
    }

    [[nodiscard]] bool await_ready() noexcept {
        if (socket == nullptr || !socket->is_open()) [[unlikely]] {
            outcome = -EBADF;
            return true;
        }
        return into.empty();
    }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        return start(task.promise().context(), task);
    }

    result<std::size_t> await_resume() noexcept;

  private:
    bool start(context& task, std::coroutine_handle<> resume) noexcept;
    static void cancel(detail::waiter& self) noexcept;
    result<std::size_t> copy_chunks() noexcept;
};

class [[nodiscard]] socket_stream::receive_awaiter : private detail::waiter {
  public:
    explicit receive_awaiter(detail::socket_core* core) noexcept : core_(core) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return start(task.promise().context(), task);
    }

    result<received_buffer> await_resume() noexcept;

  private:
    bool start(context& task, std::coroutine_handle<> resume);
    static void cancel(detail::waiter& self) noexcept;

    std::int32_t error_ = 0;  // an errno: why nothing was asked for
    detail::socket_core* core_;
};

class [[nodiscard]] socket_stream::write_awaiter : private detail::direct_write {
  public:
    write_awaiter(detail::socket_core* core, std::span<const std::byte> bytes) noexcept
        : core_(core) {
        rest = bytes;
    }

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        return start(task.promise().context(), task);
    }

    result<void> await_resume() const noexcept {
        return error ? std::unexpected(error) : result<void>();
    }

  private:
    bool start(context& task, std::coroutine_handle<> resume) noexcept;
    static void cancel(detail::waiter& self) noexcept;

    detail::socket_core* core_;
};

inline socket_stream::read_awaiter socket_stream::read_some(std::span<std::byte> into) noexcept {
    return {core_.get(), into};
}

inline socket_stream::receive_awaiter socket_stream::receive() noexcept {
    return receive_awaiter(core_.get());
}

inline socket_stream::write_awaiter socket_stream::write_all(
    std::span<const std::byte> from) noexcept {
    return {core_.get(), from};
}

static_assert(byte_stream<socket_stream>);

}  // namespace weir
