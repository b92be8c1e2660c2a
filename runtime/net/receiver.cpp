#include "detail/receiver.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::detail {

receiver::receiver(receive_pool& pool, int fd) noexcept
    : pool_(pool), credit_(std::max(1U, pool.count() / 8)), must_watch_(!pool.has_group()) {
    request.fd = fd;
    completed = &on_completion;
}

void receiver::wait(waiter& reader, void (*instead)(waiter&) noexcept) noexcept {
    WEIR_ASSERT(reader_ == nullptr, "one task reads a stream at a time");
    reader_ = &reader;
    instead_ = instead;
    want();
}

void receiver::stop_waiting() noexcept {
    reader_ = nullptr;
    if (state_ == receive_state::starved) {
        buffer_waiter::unlink();
        state_ = receive_state::idle;
        has_watched_ = false;  // who reads next may take the bytes another way
    }
}

// Goes on towards the next chunk, unless that is under way or the end has come.
void receiver::want() noexcept {
    if (state_ != receive_state::idle || ended_ || abandoned_) {
        return;
    }
    const bool no_buffer = pool_.free() == 0;
    if ((no_buffer || over_credit()) && turn_away()) {
        return;
    }
    if (over_credit()) {
        return;  // until this connection gives one back
    }
    if (!has_watched_ && (no_buffer || must_watch_)) {
        watch();
    } else if (no_buffer) {
        state_ = receive_state::starved;
        pool_.wait_for_buffer(*this);
    } else {
        arm();
    }
}

// Whether the reader finds memory elsewhere.
bool receiver::turn_away() noexcept {
    if (reader_ == nullptr || instead_ == nullptr) {
        return false;
    }
    has_watched_ = false;
    instead_(*std::exchange(reader_, nullptr));
    return true;
}

void receiver::start(receive_state next) noexcept {
    state_ = next;
    retain();
    state = operation_state::idle;
    cancel_asked = false;
    pool_.loop().io().start(*this);
}

void receiver::watch() noexcept {
    request.opcode = io_opcode::poll;
    request.options = 0;
    request.address = nullptr;
    request.length = 0;
    request.operation_flags = POLLIN;
    start(receive_state::watching);
}

void receiver::arm() noexcept {
    has_watched_ = false;
    request.opcode = io_opcode::receive;
    if (pool_.has_group()) {
        request.options = io_multishot | io_from_group;
        if (pool_.bundles()) {
            request.options |= io_bundle;
        }
        request.operation_flags = 0;
        request.buffer_group = pool_.group();
    } else {
        const std::uint16_t buffer = *pool_.take();
        const std::span<std::byte> into = pool_.bytes(buffer);
        request.address = into.data();
        request.length = static_cast<std::uint32_t>(into.size());
        request.operation_flags = MSG_DONTWAIT;  // a buffer is not kept for who is silent
        request.buffer_group = buffer;           // remembered here
    }
    start(receive_state::armed);
}

void receiver::on_completion(operation& op) noexcept { static_cast<receiver&>(op).completion(); }

// There are bytes, or the stream has ended or failed, which the receive tells.
void receiver::watched() noexcept {
    state_ = receive_state::idle;
    if (orphan::is_linked()) {
        orphan::unlink();
    }
    must_watch_ = !pool_.has_group();
    has_watched_ = reader_ != nullptr && outcome > 0;
    if (outcome < 0 && outcome != -ECANCELED && outcome != -EINTR) {
        ended_ = -outcome;
    }
    if (reader_ != nullptr) {
        want();
    }
    tell_reader();
    release();
}

void receiver::completion() noexcept {
    if (state_ == receive_state::watching) {
        watched();
        return;
    }
    if (outcome > 0) {
        const auto size = static_cast<std::uint32_t>(outcome);
        arrived(pool_.has_group() ? buffer_of(completion_flags) : request.buffer_group, size);
    } else if (!pool_.has_group()) {
        pool_.give_back(request.buffer_group);
    }
    if (state != operation_state::done) {
        if (held_ >= credit_) {
            pool_.loop().io().cancel(*this);
        }
        tell_reader();
        return;
    }
    state_ = receive_state::idle;
    ended_with(outcome);
    if (reader_ != nullptr && !has_bytes() && !ended_) {
        want();
    }
    tell_reader();
    pool_.offer();  // a buffer that was meant for this one, and not used
    release();
}

void receiver::ended_with(std::int32_t value) noexcept {
    if (orphan::is_linked()) {
        orphan::unlink();
    }
    if (value == 0) {
        ended_ = 0;
    } else if (value == -ENOBUFS) {
        if (!pool_.grow()) {
            ++pool_.loop().counters_ref().buffer_shortages;
            must_watch_ = true;
        }
    } else if (value == -EAGAIN) {
        must_watch_ = true;
    } else if (value < 0 && value != -ECANCELED && value != -EINTR) {
        ended_ = -value;
    }
}

// A bundle fills several buffers, which follow each other in the kernel's order.
void receiver::arrived(std::uint16_t buffer, std::uint32_t size) noexcept {
    while (true) {
        const std::uint32_t part = std::min(size, pool_.buffer_size());
        if (pool_.has_group()) {
            pool_.taken_by_kernel();
        }
        ++held_;
        size -= part;
        const std::uint16_t behind = size != 0 ? pool_.behind(buffer) : buffer;
        if (abandoned_) {
            give_back(buffer);
        } else {
            append(buffer, part);
        }
        if (size == 0) {
            return;
        }
        buffer = behind;
    }
}

void receiver::append(std::uint16_t buffer, std::uint32_t size) noexcept {
    pool_.filled(buffer) = size;
    if (first_ == none) {
        first_ = buffer;
        first_begin_ = 0;
    } else {
        pool_.next(static_cast<std::uint16_t>(last_)) = buffer;
    }
    last_ = buffer;
}

receiver::chunk receiver::take() noexcept {
    const auto buffer = static_cast<std::uint16_t>(first_);
    const chunk taken{.buffer = buffer, .begin = first_begin_, .end = pool_.filled(buffer)};
    first_ = first_ == last_ ? none : pool_.next(buffer);
    first_begin_ = 0;
    return taken;
}

std::size_t receiver::copy(std::span<std::byte> into) noexcept {
    std::size_t copied = 0;
    while (has_bytes() && copied < into.size()) {
        const auto buffer = static_cast<std::uint16_t>(first_);
        const std::span<std::byte> left =
            bytes(buffer).first(pool_.filled(buffer)).subspan(first_begin_);
        const std::size_t part = std::min(left.size(), into.size() - copied);
        std::memcpy(into.data() + copied, left.data(), part);
        copied += part;
        first_begin_ += static_cast<std::uint32_t>(part);
        if (part == left.size()) {
            give_back(take().buffer);
        }
    }
    return copied;
}

void receiver::give_back(std::uint16_t buffer) noexcept {
    --held_;
    pool_.give_back(buffer);
    if (reader_ != nullptr) {
        want();
    }
}

void receiver::release() noexcept {
    if (--references_ == 0) {
        delete this;
    }
}

void receiver::abandon() noexcept {
    abandoned_ = true;
    reader_ = nullptr;
    while (has_bytes()) {
        give_back(take().buffer);
    }
    if (state_ == receive_state::starved) {
        buffer_waiter::unlink();
        state_ = receive_state::idle;
    } else if (state_ != receive_state::idle) {
        pool_.loop().add_orphan(*this);
        pool_.loop().io().hand_over(*this);  // the descriptor is about to be closed
        pool_.loop().io().cancel(*this);
    }
    release();
}

void receiver::tell_reader() noexcept {
    if (reader_ != nullptr && (has_bytes() || ended_)) {
        std::exchange(reader_, nullptr)->wake();
    }
}

bool receiver::buffer_is_free() noexcept {
    state_ = receive_state::idle;
    want();
    return state_ == receive_state::armed;
}

void receiver::give_up() noexcept {}  // it was canceled when its socket went

}  // namespace weir::detail
