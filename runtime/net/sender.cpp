#include "detail/sender.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

namespace weir::detail {
namespace {

// What one send may carry; the kernel's own limit is a little lower.
constexpr std::size_t send_max = std::size_t{1} << 30;

// What a send that may be copied does not fail with: kinds of socket without, and limits of locked
// memory.
bool is_for_want_of_zero_copy(std::int32_t outcome) noexcept {
    return outcome == -EOPNOTSUPP || outcome == -ENOMEM || outcome == -ENOBUFS;
}

// Nothing of the send has gone, and it may be repeated.
bool is_for_now(std::int32_t outcome) noexcept {
    return outcome == -ECANCELED || outcome == -EINTR || outcome == -EAGAIN;
}

}  // namespace

void outgoing::append_large(std::span<const std::byte> bytes) {
    if (large_.empty()) {
        large_.reserve(std::max(2 * small_.size(), size_ + bytes.size()));
        large_.assign(small_.data(), small_.data() + size_);
    }
    large_.insert(large_.end(), bytes.begin(), bytes.end());
}

sender::~sender() {
    WEIR_DEBUG_ASSERT(in_flight_ == flight::nothing, "a socket waits for what it sends");
    drop(queue_);
    drop(flying_);
}

void sender::drop(outgoing*& one) noexcept { delete std::exchange(one, nullptr); }

bool sender::try_queue(std::span<const std::byte> bytes) noexcept {
    if (direct_ != nullptr || bytes.size() >= direct_min) {
        return false;
    }
    try {
        if (queue_ == nullptr) {
            queue_ = new outgoing(*this);
        } else if (queue_->size() + bytes.size() > queue_max) {
            return false;
        }
        queue_->append(bytes);
    } catch (const std::bad_alloc&) {
        if (queue_ != nullptr && queue_->size() == 0) {
            drop(queue_);
        }
        return false;
    }
    return true;
}

void sender::send_directly(direct_write& write) noexcept {
    WEIR_ASSERT(direct_ == nullptr, "one task writes a stream at a time");
    direct_ = &write;
    direct_canceled_ = false;
    pump();
}

void sender::cancel(direct_write& write) noexcept {
    direct_canceled_ = true;
    if (in_flight_ == flight::direct) {
        loop_.io().cancel(*flying_);
        break_off();
        return;
    }
    // It waits behind the queue.
    WEIR_DEBUG_ASSERT(direct_ == &write, "a write that is under way is canceled");
    write.error = std::make_error_code(std::errc::operation_canceled);
    direct_ = nullptr;
    write.wake();
}

void sender::start(std::span<const std::byte> bytes) noexcept {
    outgoing& op = *flying_;
    op.request.fd = fd_;
    // The kernel only reads.
    op.request.address = const_cast<std::byte*>(bytes.data());
    op.request.length = static_cast<std::uint32_t>(std::min(bytes.size(), send_max));
    op.completed = &on_completion;
    op.state = operation_state::idle;
    op.cancel_asked = false;
    loop_.io().start(op);
}

// MSG_WAITALL: the kernel itself goes on after a short send.
void sender::start_queued(bool at_once) noexcept {
    in_flight_ = flight::queued;
    const std::span<const std::byte> bytes = flying_->rest();
    zero_copy_told_ = false;
    io_request& request = flying_->request;
    request.operation_flags = MSG_NOSIGNAL | MSG_WAITALL;
    request.options = 0;
    if (is_for_zero_copy(bytes.size())) [[unlikely]] {
        request.opcode = io_opcode::send_zero_copy;
    } else {
        request.opcode = io_opcode::send;
        if (at_once && may_be_silent_ && !is_waited_for()) [[likely]] {
            request.options = io_silent;
            request.operation_flags |= MSG_DONTWAIT;
        }
    }
    start(bytes);
}

void sender::start_direct() noexcept {
    try {
        flying_ = new outgoing(*this);
    } catch (const std::bad_alloc&) {
        end_direct(std::make_error_code(std::errc::not_enough_memory));
        tell_flushers();
        return;
    }
    in_flight_ = flight::direct;
    zero_copy_told_ = false;
    const bool zero_copy = is_for_zero_copy(direct_->rest.size());
    flying_->request.opcode = zero_copy ? io_opcode::send_zero_copy : io_opcode::send;
    flying_->request.operation_flags = MSG_NOSIGNAL | MSG_WAITALL;
    start(direct_->rest);
}

void sender::pump() noexcept {
    if (in_flight_ == flight::queued && flying_->request.options == io_silent) {
        loop_.io().hasten(*flying_);
    }
    if (in_flight_ != flight::nothing || is_held_) {
        return;
    }
    if (flying_ != nullptr) {
        start_queued(false);
    } else if (queue_ != nullptr) {
        flying_ = std::exchange(queue_, nullptr);
        start_queued(true);
    } else if (direct_ != nullptr) {
        start_direct();
    } else {
        tell_flushers();
    }
}

void sender::flush(listed_waiter& waiting) noexcept {
    flushers_.push_back(waiting);
    pump();
}

void sender::on_completion(operation& op) noexcept {
    auto& done = static_cast<outgoing&>(op);
    sender& from = done.from;
    // What was gathered has gone whole, and nobody waits for that: nearly every send.
    const bool is_whole = op.request.options == io_silent && done.rest_is(op.outcome);
    if (is_whole && !from.has_failed_ && !from.was_broken_off_ && !from.is_held_ &&
        !from.has_more() && !from.is_waited_for()) [[likely]] {
        from.in_flight_ = flight::nothing;
        from.flying_ = nullptr;
        delete &done;
        return;
    }
    from.completion(done);
}

void sender::completion(outgoing& op) noexcept {
    std::int32_t outcome = op.outcome;
    if (op.request.opcode == io_opcode::send_zero_copy) {
        if ((op.completion_flags & completion_notification) == 0) {
            op.zero_copy_outcome = op.outcome;
            zero_copy_told_ = true;
        }
        if (op.state != operation_state::done) {
            break_off();  // the kernel still reads the memory
            return;
        }
        if (is_for_want_of_zero_copy(op.zero_copy_outcome)) {
            zero_copy_min_ = no_zero_copy;
            op.zero_copy_outcome = -ECANCELED;  // once more, copied
        }
        outcome = op.zero_copy_outcome;
    }
    sent(outcome);
}

// A send whose bytes the kernel has, and not copied, is not to be canceled: it ends when the peer
// has confirmed them, which it may never do. So the connection ends.
void sender::break_off() noexcept {
    const bool to_end = in_flight_ == flight::direct ? direct_canceled_ : given_up_;
    if (to_end && zero_copy_told_) {
        sockaddr none{};
        none.sa_family = AF_UNSPEC;
        static_cast<void>(::connect(fd_, &none, sizeof none));
        was_broken_off_ = true;
    }
}

void sender::set_error(std::error_code why) noexcept {
    error_ = why;
    has_failed_ = true;
}

void sender::sent(std::int32_t result) noexcept {
    if (was_broken_off_) [[unlikely]] {
        set_error(std::make_error_code(std::errc::operation_canceled));
    }
    if (std::exchange(in_flight_, flight::nothing) == flight::direct) {
        drop(flying_);
        sent_of_direct(result);
    } else {
        sent_of_queue(result);
    }
    pump();
    if (in_flight_ == flight::nothing && idle_target_ != nullptr) [[unlikely]] {
        idle_target_->action(*idle_target_);
    }
}

void sender::sent_of_queue(std::int32_t result) noexcept {
    if (has_failed_) [[unlikely]] {
        drop(flying_);  // given up
    } else if (result >= 0) {
        flying_->advance(static_cast<std::size_t>(result));
        if (flying_->rest().empty()) {
            drop(flying_);
        }
    } else if (!is_for_now(result)) {
        fail(std::error_code(-result, std::system_category()));
    }
}

void sender::sent_of_direct(std::int32_t result) noexcept {
    if (has_failed_) {
        end_direct(error_);  // broken off
        return;
    }
    if (result > 0) {
        direct_->begun = true;
        direct_->rest = direct_->rest.subspan(static_cast<std::size_t>(result));
        if (direct_->rest.empty()) {
            end_direct(std::error_code());
            return;
        }
    } else if (result == 0 || !is_for_now(result)) {
        fail(std::error_code(result == 0 ? EPIPE : -result, std::system_category()));
        return;
    }
    if (direct_canceled_) {
        // A peer that has seen part of a message cannot make sense of what follows.
        const auto why = std::make_error_code(std::errc::operation_canceled);
        if (direct_->begun) {
            set_error(why);
        }
        end_direct(why);
    }
}

void sender::end_direct(std::error_code why) noexcept {
    direct_->error = why;
    std::exchange(direct_, nullptr)->wake();
}

void sender::break_with(std::error_code why) noexcept {
    if (!has_failed_ && in_flight_ == flight::nothing) {
        fail(why);
    } else if (!has_failed_) {
        was_broken_off_ = true;
    }
}

void sender::fail(std::error_code why) noexcept {
    set_error(why);
    drop(queue_);
    drop(flying_);
    if (direct_ != nullptr) {
        end_direct(error_);
    }
    tell_flushers();
}

void sender::send_what_fits() noexcept {
    WEIR_DEBUG_ASSERT(in_flight_ == flight::nothing, "a send in flight goes first");
    while (!has_failed_ && (flying_ != nullptr || queue_ != nullptr)) {
        if (flying_ == nullptr) {
            flying_ = std::exchange(queue_, nullptr);
        }
        const std::span<const std::byte> rest = flying_->rest();
        const ssize_t count = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            sent_of_queue(static_cast<std::int32_t>(count));
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            fail(std::error_code(errno, std::system_category()));
        }
    }
}

void sender::give_up() noexcept {
    drop(queue_);
    if (in_flight_ == flight::queued) {
        set_error(std::make_error_code(std::errc::operation_canceled));
        given_up_ = true;
        loop_.io().cancel(*flying_);
        break_off();
    }
}

}  // namespace weir::detail
