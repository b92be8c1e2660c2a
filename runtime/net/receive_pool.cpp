#include "detail/receive_pool.hpp"

#include <algorithm>
#include <bit>
#include <system_error>

namespace weir::detail {

receive_pool::receive_pool(event_loop& loop)
    : loop_(loop),
      io_(loop.io()),
      count_(std::bit_ceil(loop.options().receive_buffers)),
      size_(loop.options().receive_buffer_size),
      memory_(new std::byte[std::size_t{count_} * size_]),
      next_(count_),
      filled_(count_),
      order_(count_),
      position_(count_) {
    stack_.reserve(count_);
    const io_features features = io_.features();
    if (features.receive_multishot) {
        const result<std::uint16_t> added = io_.add_buffer_group(memory_.get(), count_, size_);
        if (!added) {
            throw std::system_error(added.error(), "a group of " + std::to_string(count_) +
                                                       " receive buffers of " +
                                                       std::to_string(size_) + " bytes");
        }
        group_ = *added;
        bundles_ = features.bundles;
        supplied_ = std::min(count_, supplied_at_first);
    }
    for (std::uint32_t buffer = count_; buffer > 0; --buffer) {
        stack_.push_back(static_cast<std::uint16_t>(buffer - 1));
    }
    free_ = count_;
    supply();
}

receive_pool::~receive_pool() {
    WEIR_ASSERT(free_ == count_ && waiters_.empty(),
                "received buffers are destroyed before their loop");
    if (group_) {
        io_.remove_buffer_group(*group_);
    }
}

void receive_pool::supply() noexcept {
    while (with_kernel_ < supplied_ && !stack_.empty()) {
        const std::uint16_t buffer = stack_.back();
        stack_.pop_back();
        const std::uint32_t place = provided_++ & (count_ - 1);
        order_[place] = buffer;
        position_[buffer] = place;
        io_.provide_buffer(*group_, buffer);
        ++with_kernel_;
    }
}

bool receive_pool::grow() noexcept {
    if (stack_.empty()) {
        return false;
    }
    supplied_ = std::min(count_, supplied_ + 1);
    supply();
    return true;
}

std::optional<std::uint16_t> receive_pool::take() noexcept {
    if (stack_.empty()) {
        return std::nullopt;
    }
    --free_;
    const std::uint16_t buffer = stack_.back();
    stack_.pop_back();
    return buffer;
}

void receive_pool::give_back(std::uint16_t buffer) noexcept {
    stack_.push_back(buffer);
    ++free_;
    supply();
    offer();
}

void receive_pool::offer() noexcept {
    while (free_ != 0 && !waiters_.empty() && !waiters_.pop_front().buffer_is_free()) {
    }
}

}  // namespace weir::detail
