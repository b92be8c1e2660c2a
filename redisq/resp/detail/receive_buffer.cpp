#include "receive_buffer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "../../../runtime/assert.hpp"

namespace weir::redisq::resp::detail {

std::span<std::byte> receive_buffer::prepare(std::size_t at_least, std::size_t missing) {
    if (first_ == last_) {
        restart();
    }
    const std::size_t room = std::max({at_least, std::min(missing, size()), std::size_t{1}});
    if (capacity_ - last_ < room) {
        if (capacity_ - size() >= room && first_ >= capacity_ / 2) {
            std::memmove(block_.get(), begin(), size());
            last_ -= std::exchange(first_, 0);
        } else {
            const std::size_t doubled = size() == 0 ? capacity_wanted_ : 2 * capacity_;
            const std::size_t capacity =
                std::max({std::bit_ceil(size() + room), doubled, bytes_min});
            std::unique_ptr<char[]> outgrown;
            move_to(make_block(capacity), capacity, outgrown);
        }
    }
    return {reinterpret_cast<std::byte*>(block_.get()) + last_, capacity_ - last_};
}

void receive_buffer::commit(std::size_t count) noexcept {
    WEIR_ASSERT(count <= capacity_ - last_, "commit() takes what prepare() has given room for");
    if (count != 0) {
        last_ += count;
        block_[last_] = '\n';
    }
}

std::unique_ptr<char[]> receive_buffer::hand_over(std::size_t count) {
    const std::size_t rest = size() - count;
    const std::size_t capacity = rest == 0 ? 0 : std::max(std::bit_ceil(rest), bytes_min);
    std::unique_ptr<char[]> block = rest == 0 ? nullptr : make_block(capacity);
    // The next reply may well be as large.
    capacity_wanted_ = capacity_;
    peak_ = std::max(peak_, last_);
    drop(count);
    std::unique_ptr<char[]> given;
    move_to(std::move(block), capacity, given);
    return given;
}

std::unique_ptr<char[]> receive_buffer::make_block(std::size_t capacity) {
    return std::make_unique_for_overwrite<char[]>(capacity + 1);
}

void receive_buffer::move_to(std::unique_ptr<char[]> block, std::size_t capacity,
                             std::unique_ptr<char[]>& left) noexcept {
    const std::size_t kept = size();
    if (kept != 0) {
        std::memcpy(block.get(), begin(), kept);
    }
    left = std::exchange(block_, std::move(block));
    capacity_ = capacity;
    first_ = 0;
    last_ = kept;
    if (block_) {
        block_[last_] = '\n';
    }
}

// All was parsed: begins at the front again, in a smaller block where a large one was not needed
// for long.
void receive_buffer::restart() {
    peak_ = std::max(peak_, last_);
    clear();
    if (++rounds_ < shrink_rounds) {
        return;
    }
    const std::size_t enough = std::max(std::bit_ceil(2 * peak_), bytes_min);
    capacity_wanted_ = std::min(capacity_wanted_, enough);
    if (capacity_ > 2 * enough) {
        block_.reset();
        capacity_ = 0;
    }
    peak_ = 0;
    rounds_ = 0;
}

}  // namespace weir::redisq::resp::detail
