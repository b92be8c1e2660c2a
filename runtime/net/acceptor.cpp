#include "detail/acceptor.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

namespace weir::detail {
namespace {

using namespace std::chrono_literals;

constexpr duration pause_min = 10ms;
constexpr duration pause_max = 1s;

bool is_shortage(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// What befalls one connection and not the socket that listens (accept(2)).
bool is_passing(int error) noexcept {
    switch (error) {
        case EINTR:
        case EAGAIN:
        case ECONNABORTED:
        case EPROTO:
        case EPERM:
        case ENETDOWN:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ETIMEDOUT:
            return true;
        default:
            return false;
    }
}

}  // namespace

acceptor::acceptor(event_loop& loop, file_descriptor listening)
    : timer_node(
          [](timer_node& node) noexcept { static_cast<acceptor&>(node).resume_after_pause(); }),
      loop_(loop),
      socket_(std::move(listening)) {
    request.opcode = io_opcode::accept;
    request.options = loop.io().features().accept_multishot ? io_multishot : std::uint8_t{0};
    request.fd = socket_.get();
    request.operation_flags = SOCK_CLOEXEC;
    completed = &on_completion;
}

file_descriptor acceptor::take() noexcept {
    file_descriptor taken = std::move(accepted_.front());
    accepted_.pop_front();
    return taken;
}

void acceptor::wait(listed_waiter& waiting) noexcept {
    waiters_.push_back(waiting);
    want();
}

void acceptor::want() noexcept {
    if (state_ == accept_state::idle && !error_) {
        state_ = accept_state::armed;
        state = operation_state::idle;
        cancel_asked = false;
        loop_.io().start(*this);
    }
}

void acceptor::on_completion(operation& op) noexcept { static_cast<acceptor&>(op).completion(); }

void acceptor::completion() noexcept {
    if (outcome >= 0) {
        add(outcome);
    }
    if (state != operation_state::done) {
        if (accepted_.size() >= queue_max) {
            loop_.io().cancel(*this);
        }
        return;
    }
    state_ = accept_state::idle;
    if (abandoned_) {
        end_abandoned();
        return;
    }
    accept_ended(outcome < 0 ? -outcome : 0);
}

void acceptor::add(int fd) noexcept {
    file_descriptor connection(fd);
    if (abandoned_ || error_) {
        return;  // closed
    }
    pause_ = duration::zero();
    try {
        accepted_.push_back(std::move(connection));
    } catch (const std::bad_alloc&) {
        return;  // as if the kernel had had no memory for it
    }
    if (!waiters_.empty()) {
        wake_first(waiters_);
    }
}

void acceptor::accept_ended(int error) noexcept {
    if (error_) {
        return;  // closed
    }
    if (is_shortage(error)) {
        pause();
        return;
    }
    if (error != 0 && error != ECANCELED && !is_passing(error)) {
        if (error == EINVAL && (request.options & io_multishot) != 0) {
            request.options = 0;  // a kernel without; an invalid socket fails once more
        } else {
            error_ = std::error_code(error, std::system_category());
            wake_all(waiters_);
            return;
        }
    }
    if (!waiters_.empty()) {
        want();
    }
}

void acceptor::pause() noexcept {
    ++pauses_;
    state_ = accept_state::paused;
    pause_ = std::clamp(2 * pause_, pause_min, pause_max);
    loop_.arm(*this, saturating_add(loop_.now(), pause_));
}

void acceptor::resume_after_pause() noexcept {
    state_ = accept_state::idle;
    if (!waiters_.empty()) {
        want();
    }
}

void acceptor::close() noexcept {
    if (!is_open()) {
        return;
    }
    error_ = std::make_error_code(std::errc::operation_canceled);
    accepted_.clear();
    wake_all(waiters_);
    if (state_ == accept_state::armed) {
        loop_.io().hand_over(*this);
        loop_.io().cancel(*this);
    }
    loop_.disarm(*this);
    // Until the operation has ended, the kernel keeps the socket: refuse connections now.
    ::shutdown(socket_.get(), SHUT_RDWR);
    socket_.reset();
}

void acceptor::abandon() noexcept {
    WEIR_ASSERT(waiters_.empty(), "a listener outlives the tasks that accept from it");
    close();
    abandoned_ = true;
    if (state_ == accept_state::armed) {
        loop_.add_orphan(*this);
    } else {
        end_abandoned();
    }
}

void acceptor::end_abandoned() noexcept {
    if (orphan::is_linked()) {
        orphan::unlink();
    }
    delete this;
}

}  // namespace weir::detail
