#include "detail/sender.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "../driver.hpp"

namespace weir::detail {
namespace {

// What one send may carry; the kernel's own limit is a little lower.
constexpr std::size_t send_max = std::size_t{1} << 30;
// A queue that has grown beyond this gives its memory back when it is empty.
constexpr std::size_t kept_max = sender::direct_min;

// What a send that may be copied does not fail with: kinds of socket without, and limits of locked
// memory.
bool is_for_want_of_zero_copy(std::int32_t outcome) noexcept {
    return outcome == -EOPNOTSUPP || outcome == -ENOMEM || outcome == -ENOBUFS;
}

}  // namespace

sender::sender(scheduler& loop, int fd) noexcept : loop_(loop) {
    request.fd = fd;
    // MSG_WAITALL: the kernel itself goes on after a short send.
    request.operation_flags = MSG_NOSIGNAL | MSG_WAITALL;
    completed = &on_completion;
}

bool sender::try_queue(std::span<const std::byte> bytes) noexcept {
    if (direct_ != nullptr || bytes.size() >= direct_min ||
        queue_.size() + bytes.size() > queue_max) {
        return false;
    }
    try {
        queue_.insert(queue_.end(), bytes.begin(), bytes.end());
    } catch (const std::bad_alloc&) {
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
        loop_.io().cancel(*this);
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
    const bool zero_copy = bytes.size() >= zero_copy_min_ && loop_.io().features().zero_copy;
    request.opcode = zero_copy ? io_opcode::send_zero_copy : io_opcode::send;
    // The kernel only reads.
    request.address = const_cast<std::byte*>(bytes.data());
    request.length = static_cast<std::uint32_t>(std::min(bytes.size(), send_max));
    state = operation_state::idle;
    cancel_asked = false;
    zero_copy_told_ = false;
    loop_.io().start(*this);
}

void sender::pump() noexcept {
    if (in_flight_ != flight::nothing || is_held_) {
        return;
    }
    if (!flying_.empty()) {
        in_flight_ = flight::queued;
        start(std::span(flying_).subspan(flown_));
    } else if (!queue_.empty()) {
        std::swap(queue_, flying_);
        in_flight_ = flight::queued;
        start(flying_);
    } else if (direct_ != nullptr) {
        in_flight_ = flight::direct;
        start(direct_->rest);
    } else {
        tell_flushers();
    }
}

void sender::on_completion(operation& op) noexcept {
    auto& self = static_cast<sender&>(op);
    if (self.request.opcode == io_opcode::send_zero_copy) {
        if ((op.completion_flags & completion_notification) == 0) {
            self.zero_copy_outcome_ = op.outcome;
            self.zero_copy_told_ = true;
        }
        if (op.state != operation_state::done) {
            self.break_off();  // the kernel still reads the memory
            return;
        }
        if (is_for_want_of_zero_copy(self.zero_copy_outcome_)) {
            self.zero_copy_min_ = SIZE_MAX;
            self.zero_copy_outcome_ = -ECANCELED;  // once more, copied
        }
        self.sent(self.zero_copy_outcome_);
        return;
    }
    self.sent(op.outcome);
}

// A send whose bytes the kernel has, and not copied, is not to be canceled: it ends when the peer
// has confirmed them, which it may never do. So the connection ends.
void sender::break_off() noexcept {
    const bool to_end = in_flight_ == flight::direct ? direct_canceled_ : given_up_;
    if (to_end && zero_copy_told_) {
        sockaddr none{};
        none.sa_family = AF_UNSPEC;
        static_cast<void>(::connect(request.fd, &none, sizeof none));
        was_broken_off_ = true;
    }
}

void sender::sent(std::int32_t result) noexcept {
    if (was_broken_off_) {
        error_ = std::make_error_code(std::errc::operation_canceled);
    }
    if (std::exchange(in_flight_, flight::nothing) == flight::direct) {
        sent_of_direct(result);
    } else {
        sent_of_queue(result);
    }
    pump();
    if (in_flight_ == flight::nothing && on_idle_ != nullptr) {
        on_idle_(idle_target_);
    }
}

void sender::sent_of_queue(std::int32_t result) noexcept {
    if (error_) {
        flying_.clear();  // given up
        flown_ = 0;
        return;
    }
    if (result == -ECANCELED || result == -EINTR) {
        return;  // nothing of it has gone; the next pump() repeats it
    }
    if (result < 0) {
        fail(std::error_code(-result, std::system_category()));
        return;
    }
    flown_ += static_cast<std::size_t>(result);
    if (flown_ == flying_.size()) {
        flown_ = 0;
        flying_.clear();
        if (flying_.capacity() > kept_max) {
            flying_ = std::vector<std::byte>();
        }
    }
}

void sender::sent_of_direct(std::int32_t result) noexcept {
    if (error_) {
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
    } else if (result != -ECANCELED && result != -EINTR) {
        fail(std::error_code(result == 0 ? EPIPE : -result, std::system_category()));
        return;
    }
    if (direct_canceled_) {
        // A peer that has seen part of a message cannot make sense of what follows.
        const auto why = std::make_error_code(std::errc::operation_canceled);
        if (direct_->begun) {
            error_ = why;
        }
        end_direct(why);
    }
}

void sender::end_direct(std::error_code why) noexcept {
    direct_->error = why;
    std::exchange(direct_, nullptr)->wake();
}

void sender::break_with(std::error_code why) noexcept {
    if (!error_ && in_flight_ == flight::nothing) {
        fail(why);
    } else if (!error_) {
        was_broken_off_ = true;
    }
}

void sender::fail(std::error_code why) noexcept {
    error_ = why;
    queue_.clear();
    flying_.clear();
    flown_ = 0;
    if (direct_ != nullptr) {
        end_direct(error_);
    }
    tell_flushers();
}

void sender::tell_flushers() noexcept { wake_all(flushers_); }

const io_request& sender::begin_linked() noexcept {
    std::swap(queue_, flying_);
    in_flight_ = flight::linked;
    request.opcode = io_opcode::send;
    request.address = flying_.data();
    request.length = static_cast<std::uint32_t>(flying_.size());
    return request;
}

void sender::end_linked(std::int32_t result) noexcept {
    in_flight_ = flight::nothing;
    sent_of_queue(result == no_outcome ? static_cast<std::int32_t>(flying_.size()) : result);
}

void sender::send_what_fits() noexcept {
    WEIR_DEBUG_ASSERT(in_flight_ == flight::nothing, "a send in flight goes first");
    while (!error_ && (!flying_.empty() || !queue_.empty())) {
        if (flying_.empty()) {
            std::swap(queue_, flying_);
        }
        const std::span<const std::byte> rest = std::span(flying_).subspan(flown_);
        const ssize_t count =
            ::send(request.fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
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
    queue_.clear();
    if (in_flight_ == flight::queued) {
        error_ = std::make_error_code(std::errc::operation_canceled);
        given_up_ = true;
        loop_.io().cancel(*this);
        break_off();
    }
}

}  // namespace weir::detail
