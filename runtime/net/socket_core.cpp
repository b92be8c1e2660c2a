#include "detail/socket_core.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

namespace weir::detail {

// Of a socket without owner: keeps the loop running until what is left has been sent, or the time
// is over.
struct socket_core::lingerer final : recycled, orphan, timer_node, idle_target {
    explicit lingerer(socket_core& whose) noexcept
        : timer_node([](timer_node& node) noexcept { static_cast<lingerer&>(node).give_up(); }),
          idle_target(
              [](idle_target& node) noexcept { static_cast<lingerer&>(node).of.end_abandoned(); }),
          of(whose) {
        of.loop().add_orphan(*this);
        of.loop().arm(*this, saturating_add(of.loop().tick_time(), linger_max));
    }
    lingerer(const lingerer&) = delete;
    lingerer& operator=(const lingerer&) = delete;
    ~lingerer() {
        orphan::unlink();
        of.loop().disarm(*this);
    }
    void give_up() noexcept override { of.sender_.give_up(); }

    socket_core& of;
};

socket_core::socket_core(event_loop& loop, file_descriptor socket) noexcept
    : tick_end_node(
          [](tick_end_node& node) noexcept { static_cast<socket_core&>(node).tick_has_ended(); }),
      socket_(std::move(socket)),
      sender_(loop, socket_.get()) {}

receiver& socket_core::add_receiver() {
    receiver_ = new receiver(loop().service<receive_pool>(), socket_.get());
    return *receiver_;
}

bool socket_core::queue(std::span<const std::byte> bytes) noexcept {
    if (!sender_.try_queue(bytes)) {
        return false;
    }
    sender_.loop().at_tick_end(*this);
    return true;
}

void socket_core::begin_read(span_read& read) noexcept {
    WEIR_ASSERT(reading_ == nullptr, "one task reads a stream at a time");
    read.socket = this;
    if (receiver* const from = active_chunks()) {
        read.from_chunks = true;
        wait_for_chunks(read, *from);
        return;
    }
    reading_ = &read;
    if (is_queued) {
        holds_read_ = true;
    } else {
        start_read(read);
    }
}

void socket_core::tick_has_ended() noexcept {
    sender_.pump();
    if (std::exchange(holds_read_, false)) {
        start_read(static_cast<span_read&>(*reading_));
    }
}

void socket_core::begin_chunk_read(waiter& reader) {
    WEIR_ASSERT(reading_ == nullptr, "one task reads a stream at a time");
    receiver& from = chunks();
    reading_ = &reader;
    reads_chunks_ = true;
    from.wait(reader, nullptr);
}

// A read with memory of its own, while bytes arrive in chunks.
void socket_core::wait_for_chunks(waiter& reader, receiver& from) noexcept {
    reading_ = &reader;
    reads_chunks_ = true;
    from.wait(reader, &read_without_buffer);
}

void socket_core::read_without_buffer(waiter& reader) noexcept {
    auto& read = static_cast<span_read&>(reader);
    read.from_chunks = false;
    read.socket->reads_chunks_ = false;
    read.socket->start_read(read);
}

void socket_core::start_read(span_read& read) noexcept {
    read.request.opcode = io_opcode::receive;
    read.request.options = seen_empty_ ? io_poll_first : std::uint8_t{0};
    read.request.fd = socket_.get();
    read.request.address = read.into.data();
    read.request.length =
        static_cast<std::uint32_t>(std::min<std::size_t>(read.into.size(), UINT32_MAX / 2));
    read.completed = &on_read;
    sender_.loop().io().start(read);
}

void socket_core::on_read(operation& op) noexcept {
    auto& read = static_cast<span_read&>(op);
    read.socket->read_ended(read);
}

void socket_core::read_ended(span_read& read) noexcept {
    seen_empty_ = read.outcome > 0 && (read.completion_flags & completion_nonempty) == 0;
    reading_ = nullptr;
    read.wake();
    tell_unread();
}

void socket_core::cancel(waiter& reader) noexcept {
    WEIR_DEBUG_ASSERT(reading_ == &reader, "only who reads is canceled");
    if (std::exchange(holds_read_, false)) {
        // The kernel has not been asked.
        auto& read = static_cast<span_read&>(reader);
        read.outcome = -ECANCELED;
        read.completion_flags = 0;
        read_ended(read);
        return;
    }
    if (!reads_chunks_) {
        sender_.loop().io().cancel(static_cast<span_read&>(reader));
        return;
    }
    receiver_->stop_waiting();
    reader.was_canceled = true;
    end_chunk_read(reader);
    reader.wake();
}

void socket_core::end_chunk_read(const waiter& reader) noexcept {
    if (reading_ == &reader) {
        reading_ = nullptr;
        reads_chunks_ = false;
        tell_unread();
    }
}

void socket_core::stop_reading() noexcept {
    // One that was woken has its value already.
    if (reading_ != nullptr && reading_->owner->waiting() == reading_) {
        cancel(*reading_);
    }
}

void socket_core::drop_receiver() noexcept {
    if (receiver_ != nullptr) {
        std::exchange(receiver_, nullptr)->abandon();
    }
}

result<void> socket_core::close() noexcept {
    WEIR_ASSERT(reading_ == nullptr, "a stream is closed when nobody reads it");
    if (receiver_ != nullptr) {
        // Ends the receive, which would hold the connection open.
        ::shutdown(socket_.get(), SHUT_RDWR);
        drop_receiver();
    }
    const int fd = socket_.release();
    if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) {
        return std::unexpected(std::error_code(errno, std::system_category()));
    }
    return {};
}

void socket_core::abandon() noexcept {
    WEIR_ASSERT(reading_ == nullptr, "a stream outlives the tasks that use it");
    if (!sender_.in_flight() && is_open()) {
        sender_.send_what_fits();
    }
    if (is_open() && (sender_.in_flight() || (!sender_.is_idle() && !sender_.error()))) {
        linger();
    } else {
        end_abandoned();
    }
}

void socket_core::linger() noexcept {
    try {
        lingerer_ = new lingerer(*this);
    } catch (const std::bad_alloc&) {
        sender_.give_up();
        while (sender_.in_flight()) {
            loop().io().wait(std::nullopt);  // ends as soon as the kernel has seen the cancel
        }
        end_abandoned();
        return;
    }
    sender_.when_idle(*lingerer_);
    sender_.pump();
}

void socket_core::end_abandoned() noexcept {
    delete lingerer_;
    loop().cancel_tick_end(*this);
    if (is_open()) {
        static_cast<void>(close());
    }
    delete this;
}

}  // namespace weir::detail
