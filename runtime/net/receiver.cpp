#include "detail/receiver.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::detail {

receiver::receiver(receive_pool& pool, scheduler& loop, int fd) noexcept
    : pool_(pool), loop_(loop), credit_(std::max(1U, pool.count() / 8)) {
    request.opcode = io_opcode::receive;
    request.fd = fd;
    if (pool.has_group()) {
        request.options = io_multishot | io_from_group;
        if (pool.bundles()) {
            request.options |= io_bundle;
        }
        request.buffer_group = pool.group();
    }
    completed = &on_completion;
}

void receiver::wait(waiter& reader) noexcept {
    WEIR_ASSERT(reader_ == nullptr, "one task reads a stream at a time");
    reader_ = &reader;
    want();
}

// Arms the receive unless it is under way, has ended, or this receiver holds its share.
void receiver::want() noexcept {
    if (state_ == receive_state::idle && !ended_ && !abandoned_ && !over_credit()) {
        arm();
    }
}

void receiver::arm() noexcept {
    if (pool_.free() == 0) {
        state_ = receive_state::starved;
        pool_.wait_for_buffer(*this);
        return;
    }
    if (!pool_.has_group()) {
        const std::uint16_t buffer = *pool_.take();
        const std::span<std::byte> into = pool_.bytes(buffer);
        request.address = into.data();
        request.length = static_cast<std::uint32_t>(into.size());
        request.buffer_group = buffer;  // remembered here
    }
    state_ = receive_state::armed;
    retain();
    state = operation_state::idle;
    cancel_asked = false;
    loop_.io().start(*this);
}

void receiver::on_completion(operation& op) noexcept { static_cast<receiver&>(op).completion(); }

void receiver::completion() noexcept {
    if (outcome > 0) {
        const auto size = static_cast<std::uint32_t>(outcome);
        arrived(pool_.has_group() ? buffer_of(completion_flags) : request.buffer_group, size);
    } else if (!pool_.has_group()) {
        pool_.give_back(request.buffer_group);
    }
    if (state != operation_state::done) {
        if (held_ >= credit_) {
            loop_.io().cancel(*this);
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
    release();
}

void receiver::ended_with(std::int32_t value) noexcept {
    if (orphan::is_linked()) {
        orphan::unlink();
    }
    if (value == 0) {
        ended_ = 0;
    } else if (value == -ENOBUFS) {
        ++loop_.counters_ref().buffer_shortages;
    } else if (value < 0 && value != -ECANCELED && value != -EINTR && value != -EAGAIN) {
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
    } else if (state_ == receive_state::armed) {
        loop_.add_orphan(*this);
        loop_.io().cancel(*this);
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
