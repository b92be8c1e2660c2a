#include "socket_stream.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "../event_loop.hpp"

namespace weir {
namespace {

std::error_code closed_error() noexcept {
    return std::make_error_code(std::errc::bad_file_descriptor);
}

bool is_open(const detail::socket_core* core) noexcept {
    return core != nullptr && core->is_open();
}

// Waits until all that was written is with the kernel, or will never be.
class [[nodiscard]] flush_awaiter : private detail::listed_waiter {
  public:
    explicit flush_awaiter(detail::socket_core& core) noexcept : core_(core) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr detail::wait_kind kind{"flush", &cancel_in_list};
        context& waiting = task.promise().context();
        if (core_.out().is_idle() || core_.out().error()) {
            return false;
        }
        if (waiting.stop_requested()) {
            was_canceled = true;
            return false;
        }
        suspend(waiting, task, kind);
        core_.out().flush(*this);
        return true;
    }

    result<void> await_resume() const noexcept {
        if (core_.out().error()) {
            return std::unexpected(core_.out().error());
        }
        if (was_canceled) {
            return std::unexpected(std::make_error_code(std::errc::operation_canceled));
        }
        return {};
    }

  private:
    detail::socket_core& core_;
};

// Waits until nobody reads.
class [[nodiscard]] unread_awaiter : private detail::listed_waiter {
  public:
    explicit unread_awaiter(detail::socket_core& core) noexcept : core_(core) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        // Not to be canceled: the read was asked to end, and ends soon.
        static constexpr detail::wait_kind kind{"end of a read", nullptr};
        if (!core_.is_reading()) {
            return false;
        }
        suspend(task.promise().context(), task, kind);
        core_.wait_until_unread(*this);
        core_.stop_reading();
        return true;
    }

    void await_resume() const noexcept {}

  private:
    detail::socket_core& core_;
};

}  // namespace

socket_stream::socket_stream(file_descriptor connected) {
    event_loop* const loop = event_loop::current();
    WEIR_ASSERT(loop != nullptr, "a stream is made by a task of a loop");
    core_.reset(new detail::socket_core(*loop, std::move(connected)));
}

bool socket_stream::read_awaiter::start(context& task, std::coroutine_handle<> resume) noexcept {
    static constexpr detail::wait_kind kind{"read", &cancel};
    if (task.stop_requested()) [[unlikely]] {
        outcome = -ECANCELED;
        return false;
    }
    if (detail::receiver* const from = socket->active_chunks();
        from != nullptr && (from->has_bytes() || from->ended())) {
        from_chunks = true;
        return false;
    }
    suspend(task, resume, kind);
    socket->begin_read(*this);
    return true;
}

void socket_stream::read_awaiter::cancel(detail::waiter& self) noexcept {
    static_cast<read_awaiter&>(self).socket->cancel(self);
}

result<std::size_t> socket_stream::read_awaiter::await_resume() noexcept {
    if (from_chunks) {
        return copy_chunks();
    }
    if (outcome < 0) {
        return std::unexpected(result_from_kernel(outcome).error());
    }
    return static_cast<std::size_t>(outcome);
}

result<std::size_t> socket_stream::read_awaiter::copy_chunks() noexcept {
    if (was_canceled) {
        return std::unexpected(std::make_error_code(std::errc::operation_canceled));
    }
    detail::receiver& from = socket->chunks();
    socket->end_chunk_read(*this);
    if (from.has_bytes()) {
        return from.copy(into);
    }
    const int error = from.ended().value_or(ECANCELED);
    if (error != 0) {
        return std::unexpected(result_from_kernel(-error).error());
    }
    return std::size_t{0};
}

bool socket_stream::receive_awaiter::start(context& task, std::coroutine_handle<> resume) {
    static constexpr detail::wait_kind kind{"receive", &cancel};
    if (!weir::is_open(core_)) {
        error_ = EBADF;
        return false;
    }
    if (task.stop_requested()) [[unlikely]] {
        was_canceled = true;
        return false;
    }
    detail::receiver& from = core_->chunks();
    if (from.has_bytes() || from.ended()) {
        return false;
    }
    if (from.over_credit()) {
        error_ = ENOBUFS;
        return false;
    }
    suspend(task, resume, kind);
    core_->begin_chunk_read(*this);
    return true;
}

void socket_stream::receive_awaiter::cancel(detail::waiter& self) noexcept {
    static_cast<receive_awaiter&>(self).core_->cancel(self);
}

result<received_buffer> socket_stream::receive_awaiter::await_resume() noexcept {
    int error = was_canceled ? ECANCELED : error_;
    if (error == 0) {
        detail::receiver& from = core_->chunks();
        core_->end_chunk_read(*this);
        if (from.has_bytes()) {
            return take_chunk(from);
        }
        error = from.ended().value_or(ECANCELED);
    }
    if (error != 0) {
        return std::unexpected(result_from_kernel(-error).error());
    }
    return received_buffer();
}

received_buffer socket_stream::take_chunk(detail::receiver& from) noexcept {
    const detail::receiver::chunk taken = from.take();
    from.retain();
    const std::span<std::byte> all = from.bytes(taken.buffer);
    return {from, all.first(taken.end).subspan(taken.begin), taken.buffer};
}

bool socket_stream::write_awaiter::start(context& task, std::coroutine_handle<> resume) noexcept {
    static constexpr detail::wait_kind kind{"write", &cancel};
    if (!weir::is_open(core_)) {
        error = closed_error();
        return false;
    }
    if (core_->out().has_failed()) [[unlikely]] {
        error = core_->out().error();
        return false;
    }
    if (rest.empty()) {
        return false;
    }
    if (task.stop_requested()) [[unlikely]] {
        error = std::make_error_code(std::errc::operation_canceled);
        return false;
    }
    if (core_->queue(rest)) {
        return false;
    }
    suspend(task, resume, kind);
    core_->out().send_directly(*this);
    return true;
}

void socket_stream::write_awaiter::cancel(detail::waiter& self) noexcept {
    auto& write = static_cast<write_awaiter&>(self);
    write.core_->out().cancel(write);
}

// ref: see the declaration.
task<result<void>> socket_stream::write_all(std::span<const std::span<const std::byte>> pieces) {
    for (const std::span<const std::byte> piece : pieces) {
        const result<void> written = co_await write_all(piece);
        if (!written) {
            co_return written;
        }
    }
    co_return result<void>();
}

task<result<void>> socket_stream::flush() {
    if (!is_open()) {
        co_return std::unexpected(closed_error());
    }
    co_return co_await flush_awaiter(*core_);
}

task<result<void>> socket_stream::finish_writing() {
    const result<void> flushed = co_await flush();
    if (flushed && ::shutdown(core_->fd(), SHUT_WR) != 0) {
        co_return std::unexpected(std::error_code(errno, std::system_category()));
    }
    co_return flushed;
}

task<result<void>> socket_stream::close() {
    if (!is_open()) {
        co_return result<void>();
    }
    result<void> flushed;
    do {
        flushed = co_await flush_awaiter(*core_);
        if (!flushed && !core_->out().error()) {
            co_return flushed;  // this call was stopped
        }
        co_await unread_awaiter(*core_);
        // Meanwhile others may have written, read, or closed it.
    } while (core_->is_reading() || (!core_->out().is_idle() && !core_->out().error()));
    const result<void> closed = core_->close();
    co_return flushed ? closed : flushed;
}

void socket_stream::set_zero_copy_min(std::size_t bytes) noexcept {
    if (core_ != nullptr) {
        core_->out().set_zero_copy_min(bytes);
    }
}

}  // namespace weir
