#include <cerrno>
#include <cstring>
#include <utility>

#include "detail/datagram_core.hpp"

namespace weir::detail {

datagram_core::datagram_core(scheduler& loop, file_descriptor socket, std::uint32_t count,
                             std::uint32_t payload_max)
    : loop_(loop),
      socket_(std::move(socket)),
      count_(count),
      size_(static_cast<std::uint32_t>(payload_offset) + payload_max),
      memory_(new std::byte[std::size_t{count} * size_]),
      filled_(count),
      queue_(count) {
    free_buffers_.reserve(count);
    message_.msg_namelen = name_max;
    request.opcode = io_opcode::receive_message;
    request.fd = socket_.get();
    request.address = &message_;
    request.length = 1;
    completed = &on_completion;
}

datagram_core::~datagram_core() {
    if (group_) {
        loop_.io().remove_buffer_group(*group_);
    }
}

std::error_code datagram_core::provide_buffers() {
    if (loop_.io().features().receive_multishot) {
        const result<std::uint16_t> added =
            loop_.io().add_buffer_group(memory_.get(), count_, size_);
        if (!added) {
            return added.error();
        }
        group_ = *added;
        request.options = io_multishot | io_from_group;
        request.buffer_group = *added;
    } else {
        message_.msg_iov = &piece_;
        message_.msg_iovlen = 1;
    }
    for (std::uint32_t buffer = 0; buffer < count_; ++buffer) {
        free_buffer(static_cast<std::uint16_t>(buffer));
    }
    return {};
}

bool datagram_core::receive(datagram_wait& asker, context& task, std::coroutine_handle<> resume,
                            const wait_kind& kind) noexcept {
    if (!task.stop_requested()) {
        if (queue_size_ != 0) {
            asker.buffer = queue_[queue_first_];
            queue_first_ = (queue_first_ + 1) & (count_ - 1);
            --queue_size_;
            return true;
        }
        if (pending_error_) {
            asker.error = std::exchange(pending_error_, {});
            return true;
        }
    }
    if (!wait_in(waiters_, asker, task, resume, kind)) {
        return true;
    }
    want();
    return false;
}

datagram_core::header datagram_core::header_of(std::uint16_t buffer) const noexcept {
    header written{};
    std::memcpy(&written, at(buffer), sizeof written);
    return written;
}

socket_address datagram_core::sender(std::uint16_t buffer) const noexcept {
    return socket_address::from_raw(reinterpret_cast<const sockaddr*>(at(buffer) + sizeof(header)),
                                    header_of(buffer).name_size);
}

bool datagram_core::was_truncated(std::uint16_t buffer) const noexcept {
    return (header_of(buffer).flags & MSG_TRUNC) != 0;
}

void datagram_core::want() noexcept {
    if (!armed_ && !abandoned_ && free_ != 0 && !waiters_.empty()) {
        arm();
    }
}

void datagram_core::arm() noexcept {
    if (!group_) {
        single_ = free_buffers_.back();
        free_buffers_.pop_back();
        std::byte* const into = at(single_);
        message_.msg_name = into + sizeof(header);
        message_.msg_namelen = name_max;
        piece_ = {.iov_base = into + payload_offset, .iov_len = size_ - payload_offset};
    }
    armed_ = true;
    retain();
    state = operation_state::idle;
    cancel_asked = false;
    loop_.io().start(*this);
}

void datagram_core::on_completion(operation& op) noexcept {
    static_cast<datagram_core&>(op).completion();
}

void datagram_core::completion() noexcept {
    if (!group_) {
        arrived_alone();
    } else if (outcome >= 0 && (completion_flags & completion_has_buffer) != 0) {
        --free_;
        arrived(buffer_of(completion_flags), static_cast<std::size_t>(outcome));
    }
    if (state != operation_state::done) {
        return;
    }
    armed_ = false;
    if (orphan::is_linked()) {
        orphan::unlink();
    }
    const bool means_nothing =
        outcome == -ENOBUFS || outcome == -ECANCELED || outcome == -EINTR || outcome == -EAGAIN;
    if (outcome < 0 && !means_nothing) {
        failed(std::error_code(-outcome, std::system_category()));
    }
    want();
    release();
}

// A plain receive leaves it to us to write the header.
void datagram_core::arrived_alone() noexcept {
    if (outcome < 0) {
        free_buffers_.push_back(single_);
        return;
    }
    const header written{.name_size = message_.msg_namelen,
                         .control_size = 0,
                         .payload_size = static_cast<std::uint32_t>(outcome),
                         .flags = static_cast<std::uint32_t>(message_.msg_flags)};
    std::memcpy(at(single_), &written, sizeof written);
    --free_;
    arrived(single_, payload_offset + static_cast<std::size_t>(outcome));
}

void datagram_core::arrived(std::uint16_t buffer, std::size_t filled) noexcept {
    WEIR_ASSERT(filled >= payload_offset && filled <= size_, "the kernel keeps to the buffer");
    filled_[buffer] = filled;
    if (abandoned_) {
        free_buffer(buffer);
    } else if (waiters_.empty()) {
        queue_[(queue_first_ + queue_size_) & (count_ - 1)] = buffer;
        ++queue_size_;
    } else {
        auto& asker = static_cast<datagram_wait&>(waiters_.pop_front());
        asker.buffer = buffer;
        asker.wake();
    }
}

void datagram_core::failed(std::error_code error) noexcept {
    if (waiters_.empty()) {
        pending_error_ = error;
    } else {
        auto& asker = static_cast<datagram_wait&>(waiters_.pop_front());
        asker.error = error;
        asker.wake();
    }
}

void datagram_core::free_buffer(std::uint16_t buffer) noexcept {
    ++free_;
    if (group_) {
        loop_.io().provide_buffer(*group_, buffer);
    } else {
        free_buffers_.push_back(buffer);
    }
}

void datagram_core::give_back(std::uint16_t buffer) noexcept {
    free_buffer(buffer);
    want();
    release();
}

void datagram_core::release() noexcept {
    if (--references_ == 0) {
        delete this;
    }
}

void datagram_core::abandon() noexcept {
    WEIR_ASSERT(waiters_.empty(), "a datagram_receiver outlives the tasks that wait for it");
    abandoned_ = true;
    if (armed_) {
        loop_.add_orphan(*this);
        loop_.io().cancel(*this);
    }
    release();
}

}  // namespace weir::detail
