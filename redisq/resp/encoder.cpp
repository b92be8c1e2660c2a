#include "encoder.hpp"

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace weir::redisq::resp {
namespace {

constexpr std::size_t capacity_min = 512;
constexpr std::size_t command_bytes_max = UINT32_MAX;

}  // namespace

void command_buffer::add_raw(std::span<const std::byte> encoded, std::size_t commands) {
    if (encoded.size() > capacity_ - size_) {
        reserve(std::max(size_ + encoded.size(), 2 * capacity_));
    }
    if (!encoded.empty()) {
        std::memcpy(block_.get() + size_, encoded.data(), encoded.size());
    }
    size_ += encoded.size();
    commands_ += commands;
}

void command_buffer::wipe() noexcept {
    if (capacity_ != 0) {
        ::explicit_bzero(block_.get(), capacity_);
    }
    clear();
}

void command_buffer::reserve(std::size_t bytes) {
    if (bytes <= capacity_) {
        return;
    }
    const std::size_t capacity = std::max(bytes, capacity_min);
    std::unique_ptr<char[]> larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ != 0) {
        std::memcpy(larger.get(), block_.get(), size_);
    }
    block_ = std::move(larger);
    capacity_ = capacity;
}

void command_buffer::grow(std::size_t words, std::size_t bound) {
    if (words > words_max) {
        throw std::length_error("a command of " + std::to_string(words) + " words, allowed: 1 to " +
                                std::to_string(words_max));
    }
    if (bound > command_bytes_max) {
        throw std::length_error("a command of " + std::to_string(bound) +
                                " bytes, allowed: up to " + std::to_string(command_bytes_max));
    }
    reserve(std::max(size_ + bound, 2 * capacity_));
}

}  // namespace weir::redisq::resp
