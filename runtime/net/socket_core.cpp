#include "detail/socket_core.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weir::detail {
namespace {

// What is more than this may not fit into the socket at once, and then the receive behind it would
// begin late.
constexpr std::size_t linked_max = 4096;

}  // namespace

socket_core::socket_core(event_loop& loop, file_descriptor socket) noexcept
    : tick_end_node(
          [](tick_end_node& node) noexcept { static_cast<socket_core&>(node).tick_ends(); }),
      timer_node([](timer_node& node) noexcept { static_cast<socket_core&>(node).give_up(); }),
      loop_(loop),
      socket_(std::move(socket)),
      sender_(loop, socket_.get()),
      may_link_(loop.io().features().linked) {}

receiver& socket_core::chunks() {
    if (receiver_ == nullptr) {
        receiver_ = new receiver(loop_.service<receive_pool>(), loop_, socket_.get());
    }
    return *receiver_;
}

bool socket_core::queue(std::span<const std::byte> bytes, const context& writer) noexcept {
    if (!sender_.try_queue(bytes)) {
        return false;
    }
    writer_ = &writer;
    loop_.at_tick_end(*this);
    return true;
}

void socket_core::send_directly(direct_write& write) noexcept {
    sender_.send_directly(write);
    if (sender_.is_linked()) {
        take_back_read();
    }
}

void socket_core::begin_read(span_read& read) noexcept {
    WEIR_ASSERT(reading_ == nullptr, "one task reads a stream at a time");
    read.socket = this;
    read.request.opcode = io_opcode::receive;
    read.request.fd = socket_.get();
    read.request.address = read.into.data();
    read.request.length =
        static_cast<std::uint32_t>(std::min<std::size_t>(read.into.size(), UINT32_MAX / 2));
    read.completed = &on_read;
    if (active_chunks() != nullptr) {
        begin_chunk_read(read);
        return;
    }
    reading_ = &read;
    if (may_link_ && sender_.can_link() && sender_.queued() <= linked_max &&
        writer_ == read.owner) {
        read.is_due = true;  // tick_ends() is to come
    } else {
        start_read(read);
    }
}

void socket_core::begin_chunk_read(span_read& read) {
    WEIR_ASSERT(reading_ == nullptr, "one task reads a stream at a time");
    receiver& from = chunks();
    reading_ = &read;
    read.socket = this;
    read.waits_for_chunks = true;
    from.wait(read, read.into.empty() ? nullptr : &read_without_buffer);
}

void socket_core::read_without_buffer(waiter& reader) noexcept {
    auto& read = static_cast<span_read&>(reader);
    read.waits_for_chunks = false;
    read.socket->start_read(read);
}

void socket_core::start_read(span_read& read) noexcept {
    read.is_due = false;
    read.state = operation_state::idle;
    read.cancel_asked = false;
    read.request.options = read.first != nullptr || seen_empty_ ? io_poll_first : std::uint8_t{0};
    loop_.io().start(read);
}

void socket_core::tick_ends() noexcept {
    if (reading_ != nullptr && reading_->is_due) {
        reading_->first = sender_.can_link() ? &sender_.begin_linked() : nullptr;
        start_read(*reading_);
    } else if (sender_.is_linked()) {
        take_back_read();
        return;
    }
    sender_.pump();
}

// Somebody else writes while it is not known how the send before the receive went.
void socket_core::take_back_read() noexcept {
    may_link_ = false;
    loop_.io().cancel(*reading_);
}

void socket_core::on_read(operation& op) noexcept {
    auto& read = static_cast<span_read&>(op);
    read.socket->read_ended(read);
}

void socket_core::read_ended(span_read& read) noexcept {
    if (std::exchange(read.first, nullptr) != nullptr) {
        sender_.end_linked(read.first_outcome);
        sender_.pump();
    }
    if (read.outcome == -ECANCELED && !read.was_stopped) {
        start_read(read);  // taken back, or canceled with a send that failed
        return;
    }
    seen_empty_ = read.outcome > 0 && (read.completion_flags & completion_nonempty) == 0;
    reading_ = nullptr;
    read.wake();
    wake_all(unread_waiters_);
}

void socket_core::cancel(span_read& read) noexcept {
    read.was_stopped = true;
    if (read.waits_for_chunks || read.is_due) {
        if (read.waits_for_chunks) {
            receiver_->stop_waiting();
        }
        read.is_due = false;
        read.outcome = -ECANCELED;
        end_chunk_read();
        read.wake();
        return;
    }
    loop_.io().cancel(read);
}

void socket_core::stop_reading() noexcept {
    // One that was woken has its value already.
    if (reading_ != nullptr && reading_->owner->waiting() == reading_) {
        cancel(*reading_);
    }
}

void socket_core::end_chunk_read() noexcept {
    reading_ = nullptr;
    wake_all(unread_waiters_);
}

void socket_core::flush(listed_waiter& waiting) noexcept {
    sender_.wait_until_idle(waiting);
    if (sender_.is_linked()) {
        take_back_read();
    } else {
        sender_.pump();
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
    if (sender_.is_idle() || sender_.error() || !is_open()) {
        end_abandoned();
        return;
    }
    sender_.when_idle([](void* self) noexcept { static_cast<socket_core*>(self)->end_abandoned(); },
                      this);
    loop_.add_orphan(*this);
    loop_.arm(*this, saturating_add(loop_.tick_time(), linger_max));
    sender_.pump();
}

// The time to linger is over, or the loop is about to stop.
void socket_core::give_up() noexcept { sender_.give_up(); }

void socket_core::end_abandoned() noexcept {
    if (orphan::is_linked()) {
        orphan::unlink();
    }
    loop_.disarm(*this);
    loop_.cancel_tick_end(*this);
    if (is_open()) {
        static_cast<void>(close());
    }
    delete this;
}

}  // namespace weir::detail
